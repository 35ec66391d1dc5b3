// The candidate tokens of one output, and the steps that truncate them.
//
// Tokens are kept in the order of their ids: at first the whole vocabulary, after a truncation only
// what it kept, so that later steps touch few. Of equal scores at a cut the lowest ids stay. Masses
// are summed in fp64.

#pragma once

#include "cuts.h"

namespace {

using Scored = std::pair<float, int32_t>;

// Working memory of one thread.
struct Scratch {
    std::vector<float> score, weight, key, key_weight;
    std::vector<int32_t> id, every_id;
    std::vector<Scored> pairs;
    void resize(int64_t vocab) {
        const size_t size = padded(vocab) + LANES;
        if (score.size() >= size) return;
        for (auto *array : {&score, &weight, &key, &key_weight}) array->resize(size);
        id.resize(size), every_id.resize(size);
        for (size_t i = 0; i < size; i++) every_id[i] = (int32_t)i;
    }
};

inline bool is_set(const uint32_t *words, int32_t token) {
    return words[token / 32] >> (token % 32) & 1;
}

class Candidates {
   public:
    float *score;
    const int32_t *id;
    int64_t count;

    template <class T>
    Candidates(const T *logits, int64_t vocab, Scratch &scratch)
        : score(scratch.score.data()), scratch_(scratch) {
        restart(logits, vocab);
    }

    // The whole vocabulary with its logits.
    template <class T> void restart(const T *logits, int64_t vocab) {
        id = scratch_.every_id.data(), count = vocab;
        int64_t j = 0;
        for (; j + LANES <= vocab; j += LANES) store(score + j, load(logits + j));
        for (; j < vocab; j++) score[j] = load_one(logits + j);
        store(score + vocab, ALL_LOWEST);
    }

    float highest() const { return highest_of(score, count); }

    int64_t alive() const {
        int64_t total = 0;
        for (int64_t j = 0; j < count; j += LANES) total += count_lanes(load(score + j) > ALL_LOWEST);
        return total;
    }

    // The index of a token, or -1 if it was dropped.
    int64_t find(int32_t token) const {
        if (id == scratch_.every_id.data()) return token < count ? token : -1;
        const int32_t *place = std::lower_bound(id, id + count, token);
        return place < id + count && *place == token ? place - id : -1;
    }

    // Keeps the tokens whose bit is set, 32 to a word, the lowest first.
    void mask(const uint32_t *words) {
        if (id != scratch_.every_id.data()) {
            for (int64_t j = 0; j < count; j++)
                if (!is_set(words, id[j])) score[j] = -INFINITY;
            return;
        }
        int_vec place;
        for (int i = 0; i < LANES; i++) place[i] = 1 << i;
        const int64_t whole = count / LANES * LANES;
        for (int64_t j = 0; j < whole; j += LANES) {
            const int32_t bits = (int32_t)(words[j / 32] >> (j % 32)) & 0xFFFF;
            if (bits == 0xFFFF) continue;
            store(score + j, (((int_vec{} + bits) & place) != 0) ? load(score + j) : ALL_LOWEST);
        }
        for (int64_t j = whole; j < count; j++)
            if (!is_set(words, (int32_t)j)) score[j] = -INFINITY;
    }

    void temperature(float value) {
        for (int64_t j = 0; j < count; j += LANES) store(score + j, load(score + j) / value);
    }

    void top_k(int64_t k) {
        if (k >= count) return;
        const float kth = kth_highest(score, count, k, scratch_.key.data());
        keep([=](int64_t, vec s) { return s >= kth; });
    }

    void top_p(double p) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const double total = weigh(top), target = p * total;
        // Tokens lighter than this weigh less than 1 - p all together: the cut is among the others.
        const float least = (float)(0.999 * (1 - p) * total / (double)count);
        int64_t heavy = 0;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec w = load(weight() + j);
            const int_vec in = (w >= least) & (w > 0.0f);
            if (!count_lanes(in)) continue;
            gather(scratch_.key.data() + heavy, load(score + j), in);
            heavy += gather(scratch_.key_weight.data() + heavy, w, in);
        }
        const Cut cut = cut_of(heavy, target);
        const float lowest = cut.key;
        keep([=](int64_t, vec s) { return s >= lowest; });
        drop_ties(lowest, std::max(1.0, std::ceil((target - cut.before) / cut.weight)));
    }

    void min_p(double share) {
        const float top = highest(), floor = (float)share;
        if (!std::isfinite(top)) return;
        weigh(top);
        keep([=](int64_t j, vec) { return load(weight() + j) >= floor; });
    }

    void typical_p(double mass) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const double total = weigh(top);
        const float norm = (float)std::log(total), mean = (float)entropy(top, total);
        const auto nearness = [=](vec s) {  // minus the distance of the surprisal from its mean
            const vec off = norm - (s - top) - mean;
            return off > 0.0f ? -off : off;
        };
        int64_t entries = 0;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec s = load(score + j);
            const int_vec in = s > ALL_LOWEST;
            gather(scratch_.key.data() + entries, nearness(s), in);
            entries += gather(scratch_.key_weight.data() + entries, load(weight() + j), in);
        }
        const float farthest = cut_of(entries, mass * total).key;
        keep([=](int64_t, vec s) { return nearness(s) >= farthest; });
    }

    void epsilon_cutoff(double epsilon) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        keep_likely(top, epsilon * weigh(top));
    }

    void eta_cutoff(double epsilon) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const double total = weigh(top);
        const double eta = std::min(epsilon, std::sqrt(epsilon) * std::exp(-entropy(top, total)));
        keep_likely(top, eta * total);
    }

    void top_n_sigma(double n) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const double in = (double)alive();
        Sum sum;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec s = load(score + j);
            alignas(64) float part[LANES];
            store(part, s > ALL_LOWEST ? s : vec{});
            sum.add(part);
        }
        const double mean = sum.total() / in;
        wide_vec squares{};
        for (int64_t j = 0; j < count; j += LANES / 2) {
            const eight_vec s = (eight_vec) * (const loose_eight_vec *)(score + j);
            const wide_vec value = __builtin_convertvector(s, wide_vec);
            const wide_vec off = value > -INFINITY ? value - mean : wide_vec{};
            squares += off * off;
        }
        double spread = 0;
        for (int i = 0; i < LANES / 2; i++) spread += squares[i];
        const double lowest = (double)top - n * std::sqrt(spread / in);
        float floor = (float)lowest;  // rounded up, since the comparison is one of fp64
        if ((double)floor < lowest) floor = std::nextafterf(floor, INFINITY);
        keep([=](int64_t, vec s) { return s >= floor; });
    }

    void top_h(double share) {
        if (!std::isfinite(highest())) return;
        auto &best = scratch_.pairs;
        best_of(100, best);
        const double top = best[0].first;
        double total = 0, whole = 0, sum = 0;
        for (auto &[s, _] : best) total += std::exp((double)s - top);
        const auto part = [=](float s) {
            const double log_p = (double)s - top - std::log(total);
            return -log_p * std::exp(log_p);
        };
        for (auto &[s, _] : best) whole += part(s);
        size_t in = 0;
        for (; in < best.size(); in++) {
            sum += part(best[in].first);
            if (in && sum > share * whole) break;
        }
        const float lowest = best[in - 1].first;
        double ties = 0;
        for (size_t i = 0; i < in; i++) ties += best[i].first == lowest;
        keep([=](int64_t, vec s) { return s >= lowest; });
        drop_ties(lowest, ties);
    }

    void xtc(double threshold) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const float floor = (float)(threshold * weigh(top));
        vec lowest = -ALL_LOWEST;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec s = load(score + j);
            lowest = (load(weight() + j) >= floor) & (s < lowest) ? s : lowest;
        }
        const float least = -highest_lane(-lowest);
        keep([=](int64_t, vec s) { return s <= least; });
    }

    void mirostat(double limit_in_nats) {
        const float top = highest();
        if (!std::isfinite(top)) return;
        const double norm = std::log(weigh(top));
        const float floor = (float)(norm - limit_in_nats);
        keep([=](int64_t, vec s) { return (s - top >= floor) | (s >= top); });
    }

    // The first token with the highest score; where everything is banned, token 0.
    int32_t best() const { return count ? id[first_place(score, count, highest())] : 0; }

    // Surprisal of a token under these scores, nats.
    double surprisal(int32_t token) {
        const float top = highest();
        const int64_t place = find(token);
        if (!std::isfinite(top) || place < 0) return NAN;
        return std::log(weigh(top)) - ((double)score[place] - (double)top);
    }

    // The k best candidates, best first and of equals the lowest id first.
    void best_of(int64_t k, std::vector<Scored> &to) const {
        const float kth = kth_highest(score, count, k, scratch_.key.data());
        to.clear();
        for (int64_t j = 0; j < count; j += LANES) {
            const vec s = load(score + j);
            if (!count_lanes((s >= kth) & (s > ALL_LOWEST))) continue;
            for (int i = 0; i < LANES; i++)
                if (s[i] >= kth && s[i] > -INFINITY) to.emplace_back(s[i], id[j + i]);
        }
        std::stable_sort(to.begin(), to.end(), [](auto &a, auto &b) { return a.first > b.first; });
        if ((int64_t)to.size() > k) to.resize(k);
    }

   private:
    Scratch &scratch_;

    float *weight() const { return scratch_.weight.data(); }

    Cut cut_of(int64_t entries, double target) {
        static thread_local std::vector<std::pair<float, float>> few;
        return ::cut_of(scratch_.key.data(), scratch_.key_weight.data(), entries, target, few);
    }

    // Fills `weight` with exp(score - top) and returns the sum.
    double weigh(float top) {
        Sum sum;
        for (int64_t j = 0; j < count; j += LANES) {
            store(weight() + j, weight_of(load(score + j) - top));
            sum.add(weight() + j);
        }
        return sum.total();
    }

    // Entropy of the weights, nats.
    double entropy(float top, double total) const {
        Sum sum;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec off = load(score + j) - top;
            alignas(64) float part[LANES];
            store(part, off < -87.0f ? vec{} : load(weight() + j) * off);
            sum.add(part);
        }
        return std::log(total) - sum.total() / total;
    }

    // Keeps the tokens of at least this weight, and the best.
    void keep_likely(float top, double least) {
        const float floor = (float)least;
        keep([=](int64_t j, vec s) { return (load(weight() + j) >= floor) | (s >= top); });
    }

    // Keeps the tokens for which `is_in(index, scores)` is true; those at -inf are dropped in any case.
    template <class IsIn> void keep(IsIn is_in) {
        float *scores = score;
        int32_t *ids = scratch_.id.data();
        int64_t kept = 0;
        for (int64_t j = 0; j < count; j += LANES) {
            const vec s = load(scores + j);
            const int_vec in = is_in(j, s) & (s > ALL_LOWEST);
            if (!count_lanes(in)) continue;
            gather(ids + kept, load_ids(id + j), in);
            kept += gather(scores + kept, s, in);
        }
        store(scores + kept, ALL_LOWEST);
        id = ids, count = kept;
    }

    // Of the tokens with this score, keeps only so many, the lowest ids.
    void drop_ties(float tied, double kept_ties) {
        int64_t ties = 0;
        for (int64_t j = 0; j < count; j += LANES) ties += count_lanes(load(score + j) == tied);
        if ((double)ties <= kept_ties) return;
        double seen = 0;
        int64_t kept = 0;
        int32_t *ids = scratch_.id.data();
        for (int64_t i = 0; i < count; i++) {
            const bool is_in = score[i] != tied || seen++ < kept_ties;
            score[kept] = score[i], ids[kept] = ids[i];
            kept += is_in;
        }
        store(score + kept, ALL_LOWEST);
        count = kept;
    }
};

}  // namespace
