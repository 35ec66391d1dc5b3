// The sampling kernel: edits the scores of each output, truncates them, and draws its next token.
//
// An output reads only its own row, history and key, in an order that depends on nothing else, so the
// result is batch-invariant: its token is the same to the bit in any batch and on any number of threads.

#include "candidates.h"
#include "pool.h"
#include "noise.h"

namespace {

// The codes of `sample.py`.
enum Code : int64_t {
    ADD,            // to each of `ids` its value, before position `value`
    ADD_OWN,        // the output's next own edits
    REPETITION_PENALTY,
    FREQUENCY_PENALTY,
    PRESENCE_PENALTY,
    NO_REPEAT_NGRAM_SIZE,
    TEMPERATURE,
    TOP_K,
    TOP_P,
    MIN_P,
    TYPICAL_P,
    EPSILON_CUTOFF,
    ETA_CUTOFF,
    TOP_N_SIGMA,
    TOP_H,
    XTC,
    MIROSTAT,
    RESPONSE_FORMAT,  // keeps the tokens of the output's mask
};

struct Step {
    int64_t code;
    double value, extra;
    const int32_t *ids;
    const float *values;
    int64_t count;
};

struct Output {
    int64_t row, first_step, steps, first_edits;
    uint64_t key;
    int64_t position, is_sampled;
    const int32_t *history;  // ids of prompt and output
    int64_t length;
    const int32_t *distinct;  // distinct ids of prompt and output
    const float *counts;   // how often each is in the output
    int64_t distinct_count;
    double surprisal_limit;  // bits
    const uint32_t *mask;    // tokens that its form lets in, a bit each; null where it has none
};

// Edits of single outputs: those of number i are at starts[i] to starts[i + 1].
struct Edits {
    const int64_t *starts;
    const int32_t *ids;
    const float *values;
};

struct Results {
    int32_t *token;      // [outputs]
    float *logprob;      // [outputs], of the model at temperature 1
    double *surprisal;    // [outputs] bits, in the draw; NaN except under mirostat
    double *entropy;     // [outputs] nats, of the model; null, as the rest, without a trace
    double *probability; // [outputs] after the last step
    int32_t *rank;       // [outputs] 1 + the tokens with a higher logit
    int32_t *kept;       // [outputs, most_steps] tokens kept by each step
    int64_t most_steps;
    int32_t *best;       // [outputs, alternatives], -1 beyond the vocabulary
    float *best_logprob;
    int64_t alternatives;
};

constexpr uint64_t XTC_STREAM = 0x787463;
const double LN2 = std::log(2.0);

// What the outputs of one row share.
struct Row {
    bool is_used = false;
    float top = -INFINITY;
    int32_t best = 0;
    double log_sum = 0, entropy = 0;  // of exp(logit - top); nats
    std::vector<Scored> alternatives;
};

void add(Candidates &in, const int32_t *ids, const float *values, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const int64_t place = in.find(ids[i]);
        if (place >= 0) in.score[place] += values[i];
    }
}

void penalise_repetition(Candidates &in, const Output &output, float penalty) {
    for (int64_t i = 0; i < output.distinct_count; i++) {
        const int64_t place = in.find(output.distinct[i]);
        if (place < 0) continue;
        float &score = in.score[place];
        score = score < 0 ? score * penalty : score / penalty;
    }
}

void penalise_uses(Candidates &in, const Output &output, float penalty, bool each) {
    for (int64_t i = 0; i < output.distinct_count; i++) {
        if (!(output.counts[i] > 0)) continue;
        const int64_t place = in.find(output.distinct[i]);
        // The product is exact in fp64, so it is rounded once, fused with the difference or not.
        const float amount = (float)((double)penalty * (each ? output.counts[i] : 1.0f));
        if (place >= 0) in.score[place] -= amount;
    }
}

// Bans what followed each earlier occurrence of the last `size - 1` ids.
void ban_repeated(Candidates &in, const Output &output, int64_t size) {
    const int32_t *tail = output.history + output.length - (size - 1);
    for (int64_t start = 0; start + size <= output.length; start++) {
        const int32_t *here = output.history + start;
        if (!std::equal(here, here + size - 1, tail)) continue;
        const int64_t place = in.find(here[size - 1]);
        if (place >= 0) in.score[place] = -INFINITY;
    }
}

void apply(Candidates &in, const Step &step, const Output &output, const Edits &edits,
           int64_t &own) {
    switch (step.code) {
        case ADD:
            if ((double)output.position < step.value) add(in, step.ids, step.values, step.count);
            break;
        case ADD_OWN: {
            const int64_t start = edits.starts[own], stop = edits.starts[own + 1];
            add(in, edits.ids + start, edits.values + start, stop - start);
            own++;
            break;
        }
        case REPETITION_PENALTY: penalise_repetition(in, output, (float)step.value); break;
        case FREQUENCY_PENALTY: penalise_uses(in, output, (float)step.value, true); break;
        case PRESENCE_PENALTY: penalise_uses(in, output, (float)step.value, false); break;
        case NO_REPEAT_NGRAM_SIZE: ban_repeated(in, output, (int64_t)step.value); break;
        case TEMPERATURE: in.temperature((float)step.value); break;
        case TOP_K: in.top_k((int64_t)step.value); break;
        case TOP_P: in.top_p(step.value); break;
        case MIN_P: in.min_p(step.value); break;
        case TYPICAL_P: in.typical_p(step.value); break;
        case EPSILON_CUTOFF: in.epsilon_cutoff(step.value); break;
        case ETA_CUTOFF: in.eta_cutoff(step.value); break;
        case TOP_N_SIGMA: in.top_n_sigma(step.value); break;
        case TOP_H: in.top_h(step.value); break;
        case XTC:
            if (uniform(output.key, output.position, XTC_STREAM) < step.value) in.xtc(step.extra);
            break;
        case MIROSTAT: in.mirostat(output.surprisal_limit * LN2); break;
        case RESPONSE_FORMAT:
            if (output.mask) in.mask(output.mask);
            break;
    }
}

template <class T>
void measure(Row &row, const T *logits, int64_t vocab, bool is_traced, int64_t alternatives,
             Scratch &scratch) {
    const int64_t whole = vocab / LANES * LANES;
    alignas(64) float tail[LANES], part[LANES];
    for (int i = 0; i < LANES; i++)
        tail[i] = whole + i < vocab ? load_one(logits + whole + i) : -INFINITY;
    vec top = load(tail);
    for (int64_t j = 0; j < whole; j += LANES) {
        const vec here = load(logits + j);
        top = here > top ? here : top;
    }
    row.top = highest_lane(top);
    Sum sum, moment;
    for (int64_t j = 0; j <= whole; j += LANES) {
        const vec off = (j < whole ? load(logits + j) : load(tail)) - row.top;
        const vec weight = weight_of(off);
        store(part, weight);
        sum.add(part);
        if (!is_traced) continue;
        store(part, off < -87.0f ? vec{} : weight * off);
        moment.add(part);
    }
    row.log_sum = std::log(sum.total());
    row.entropy = row.log_sum - moment.total() / sum.total();
    row.best = (int32_t)first_place(logits, vocab, row.top);
    if (alternatives) Candidates(logits, vocab, scratch).best_of(alternatives, row.alternatives);
}

// The lowest token of a mask.
int32_t first_of(const uint32_t *mask, int64_t vocab) {
    for (int32_t token = 0; token < vocab; token++)
        if (is_set(mask, token)) return token;
    return 0;
}

template <class T>
int32_t token_of(const T *logits, int64_t vocab, const Row &row, const Output &output,
                 const Step *steps, const Edits &edits, const Limits &limits, Scratch &scratch,
                 double &surprisal, int32_t *kept, double &probability) {
    // Steps cannot weigh scores that are not numbers.
    const bool is_plain = !output.steps && !output.is_sampled;
    if (is_plain || !std::isfinite(row.log_sum)) {
        probability = std::exp(-row.log_sum);
        return output.mask ? first_of(output.mask, vocab) : row.best;
    }
    Candidates in(logits, vocab, scratch);
    int64_t own = output.first_edits;
    bool is_steered = false;
    for (int64_t i = 0; i < output.steps; i++) {
        const Step &step = steps[output.first_step + i];
        apply(in, step, output, edits, own);
        is_steered = is_steered || step.code == MIROSTAT;
        if (kept) kept[i] = (int32_t)in.alive();
    }
    if (output.mask && !(in.highest() > -INFINITY)) {
        // The steps ruled out all that the form lets in: it goes before them.
        in.restart(logits, vocab);
        in.mask(output.mask);
        if (!(in.highest() > -INFINITY)) return first_of(output.mask, vocab);
    }
    const int32_t token = output.is_sampled
                              ? draw(in, stream_state(output.key, output.position), limits)
                              : in.best();
    if (is_steered) surprisal = in.surprisal(token) / LN2;
    if (kept) probability = std::exp(-in.surprisal(token));
    return token;
}

template <class T>
void trace(const T *logits, int64_t vocab, const Row &row, int64_t i, const Results &results) {
    const float mine = load_one(logits + results.token[i]);
    int64_t higher = 0, j = 0;
    for (; j + LANES <= vocab; j += LANES) higher += count_lanes(load(logits + j) > mine);
    for (; j < vocab; j++) higher += load_one(logits + j) > mine;
    results.rank[i] = (int32_t)(1 + higher);
    results.entropy[i] = row.entropy;
    for (int64_t k = 0; k < results.alternatives; k++) {
        const int64_t to = i * results.alternatives + k;
        const bool is_there = k < (int64_t)row.alternatives.size();
        results.best[to] = is_there ? row.alternatives[k].second : -1;
        results.best_logprob[to] =
            is_there ? (float)((double)row.alternatives[k].first - row.top - row.log_sum) : -INFINITY;
    }
}

// The calling thread's own, kept from call to call.
Scratch &scratch_of(int64_t vocab) {
    static thread_local Scratch scratch;
    scratch.resize(vocab);
    return scratch;
}

template <class T>
void sample(const T *logits, int64_t row_count, int64_t vocab, const Output *outputs, int64_t count,
            const Step *steps, const Edits &edits, const Results &results, int threads) {
    static const Limits limits;
    const bool is_traced = results.entropy != nullptr;
    std::vector<Row> rows(row_count);
    for (int64_t i = 0; i < count; i++) rows[outputs[i].row].is_used = true;
    in_chunks(threads, row_count, 1, [&](int64_t begin, int64_t end) {
        Scratch &scratch = scratch_of(vocab);
        for (int64_t r = begin; r < end; r++)
            if (rows[r].is_used)
                measure(rows[r], logits + r * vocab, vocab, is_traced, results.alternatives, scratch);
    });
    in_chunks(threads, count, 1, [&](int64_t begin, int64_t end) {
        Scratch &scratch = scratch_of(vocab);
        for (int64_t i = begin; i < end; i++) {
            const Output &output = outputs[i];
            const Row &row = rows[output.row];
            const T *mine = logits + output.row * vocab;
            int32_t *kept = is_traced ? results.kept + i * results.most_steps : nullptr;
            results.surprisal[i] = NAN;
            double probability = NAN;
            results.token[i] = token_of(mine, vocab, row, output, steps, edits, limits, scratch,
                                        results.surprisal[i], kept, probability);
            if (is_traced) results.probability[i] = probability;
            results.logprob[i] =
                (float)((double)load_one(mine + results.token[i]) - row.top - row.log_sum);
            if (is_traced) trace(mine, vocab, row, i, results);
        }
    });
}

}  // namespace

// logits: [rows, vocab] contiguous, fp32 or bf16. The structs are those of `sample.py`.
extern "C" void sample_tokens(const void *logits, int64_t rows, int64_t vocab, int is_bf16,
                              const Output *outputs, int64_t count, const Step *steps,
                              const Edits *edits, const Results *results, int threads) {
    if (is_bf16)
        sample((const uint16_t *)logits, rows, vocab, outputs, count, steps, *edits, *results,
               threads);
    else
        sample((const float *)logits, rows, vocab, outputs, count, steps, *edits, *results, threads);
}
