// Draws a token of each row: the highest sum of score and keyed Gumbel noise.
//
// Knows the noise of `noise.py` and computes it alike; knows no key and no decoding. The logarithms are
// taken only of hashes that can still win, which changes no draw.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace {

constexpr uint64_t GOLDEN = 0x9e3779b97f4a7c15u;
constexpr int BITS = 52;
constexpr double UNIT = 1.0 / (double)(1ull << BITS);
constexpr int BLOCK = 64;
// Noise lies between -3.6 and 36.8; a step of the table below is an eighth.
constexpr double LEAST = -4.0, STEPS = 8.0;
constexpr int ENTRIES = 42 * 8;

inline uint64_t hash(uint64_t state, uint64_t token) {
    uint64_t word = (token + 1) * GOLDEN + state;
    word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
    word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
    return (word ^ (word >> 31)) >> (64 - BITS);
}

inline double noise_of(uint64_t bits) {
    return -std::log(-std::log(((double)bits + 0.5) * UNIT));
}

// The largest hash that gives no more noise than each step needs; the margins cover rounding.
struct Limits {
    uint64_t largest[ENTRIES];
    Limits() {
        for (int entry = 0; entry < ENTRIES; entry++) {
            const double needed = LEAST + entry / STEPS - 1e-9;
            const double bits = std::floor(std::exp(-std::exp(-needed)) / UNIT) - 2;
            largest[entry] = bits > 0 ? (uint64_t)bits : 0;
        }
    }
};

int64_t draw_row(const float *scores, int64_t vocab, uint64_t state, const Limits &limits) {
    int64_t picked = std::max_element(scores, scores + vocab) - scores;
    double best = (double)scores[picked] + noise_of(hash(state, picked));
    uint64_t bits[BLOCK];
    for (int64_t start = 0; start < vocab; start += BLOCK) {
        const int count = (int)std::min<int64_t>(BLOCK, vocab - start);
        float highest = -INFINITY;
        for (int i = 0; i < count; i++) highest = std::max(highest, scores[start + i]);
        if (highest == -INFINITY) continue;
        for (int i = 0; i < count; i++) bits[i] = hash(state, start + i);
        for (int i = 0; i < count; i++) {
            const double score = scores[start + i], needed = best - score;
            if (score == -INFINITY) continue;
            if (needed >= LEAST) {
                const int entry = (int)std::min((needed - LEAST) * STEPS, ENTRIES - 1.0);
                if (bits[i] <= limits.largest[entry] && limits.largest[entry] > 0) continue;
            }
            const double sum = score + noise_of(bits[i]);
            if (sum > best || (sum == best && start + i < picked)) best = sum, picked = start + i;
        }
    }
    return picked;
}

}  // namespace

// scores: [rows, vocab] fp32 contiguous, at least one of each row above -inf. states: [rows].
// picked: [rows].
extern "C" void draw_rows(const float *scores, const uint64_t *states, int64_t rows, int64_t vocab,
                          int64_t *picked, int threads) {
    static const Limits limits;
#pragma omp parallel for schedule(dynamic, 1) num_threads(threads)
    for (int64_t row = 0; row < rows; row++)
        picked[row] = draw_row(scores + row * vocab, vocab, states[row], limits);
}
