// What training does between its matrix products: the activation of GPT-2 with its derivative, and
// the loss of the next token with its gradient, each in one pass over memory.
//
// Every number is computed in fp32 and rounded once, where torch rounds it. No sum depends on the
// number of threads, as each row is computed by itself.

#include <atomic>
#include <cmath>
#include <cstdint>

#include "numbers.h"
#include "pool.h"

namespace {

// Numbers to hand out together: some microseconds of work.
constexpr int64_t CHUNK = 16384;
// sqrt(2 / pi), and the weight of the cube, of Hendrycks and Gimpel (2016), section 2.
constexpr float SLOPE = 0.7978845608028654f, CUBE = 0.044715f;

// The share of x that passes, (1 + tanh(u)) / 2 with u = SLOPE (x + CUBE x^3), as 1 / (1 + exp(-2u)).
inline vec share_of(vec x) {
    const vec u = 2.0f * SLOPE * (x + CUBE * x * x * x);
    const vec raised = exp_of(u < 0.0f ? u : -u);  // exp(-|2u|)
    return (u < 0.0f ? raised : vec{} + 1.0f) / (raised + 1.0f);
}

inline vec gelu(vec x) { return x * share_of(x); }

inline vec gelu_slope(vec x) {
    const vec share = share_of(x);
    return share + x * share * (1.0f - share) * (2.0f * SLOPE) * (1.0f + 3.0f * CUBE * x * x);
}

// out = body(x, y) for the vectors of [start, stop); the last one goes through a padded copy.
template <class T, class Body>
void each(const void *from, const void *beside, void *to, int64_t start, int64_t stop, Body body) {
    using element = typename T::element;
    const auto *x = (const element *)from, *y = (const element *)beside;
    auto *out = (element *)to;
    int64_t i = start;
    for (; i + LANES <= stop; i += LANES) T::store(out + i, body(T::load(x + i), T::load(y + i)));
    if (i == stop) return;
    element one[LANES] = {}, two[LANES] = {}, result[LANES];
    std::memcpy(one, x + i, (stop - i) * sizeof(element));
    std::memcpy(two, y + i, (stop - i) * sizeof(element));
    T::store(result, body(T::load(one), T::load(two)));
    std::memcpy(out + i, result, (stop - i) * sizeof(element));
}

template <class T> void gelu_all(const void *x, void *out, int64_t count, int threads) {
    in_chunks(threads, count, CHUNK, [=](int64_t start, int64_t stop) {
        each<T>(x, x, out, start, stop, [](vec value, vec) { return gelu(value); });
    });
}

template <class T>
void gelu_back_all(const void *x, const void *above, void *out, int64_t count, int threads) {
    in_chunks(threads, count, CHUNK, [=](int64_t start, int64_t stop) {
        each<T>(x, above, out, start, stop,
                [](vec value, vec gradient) { return gradient * gelu_slope(value); });
    });
}

// -log softmax(logits)[label]; gradient = (softmax - one at the label) * scale, if it is wanted.
// `raised`: memory for a row of fp32 numbers.
template <class T>
double loss_row(const typename T::element *logits, int64_t label, typename T::element *gradient,
                int64_t vocab, float scale, float *raised) {
    const int64_t whole = vocab / LANES * LANES;
    vec highest = vec{} - INFINITY;
    for (int64_t i = 0; i < whole; i += LANES) {
        const vec x = T::load(logits + i);
        highest = x > highest ? x : highest;
    }
    float top = highest_lane(highest);
    for (int64_t i = whole; i < vocab; i++) top = std::fmax(top, T::one(logits[i]));
    vec sums = {};
    for (int64_t i = 0; i < whole; i += LANES) {
        const vec x = T::load(logits + i) - top;
        const vec e = x < -87.0f ? vec{} : exp_of(x);
        F32::store(raised + i, e);
        sums += e;
    }
    float total = sum_lanes(sums);
    for (int64_t i = whole; i < vocab; i++) total += raised[i] = std::exp(T::one(logits[i]) - top);
    if (gradient) {
        const float share = scale / total;
        for (int64_t i = 0; i < whole; i += LANES)
            T::store(gradient + i, F32::load(raised + i) * share);
        for (int64_t i = whole; i < vocab; i++) gradient[i] = T::rounded(raised[i] * share);
        gradient[label] = T::rounded(raised[label] * share - scale);
    }
    return std::log((double)total) + top - T::one(logits[label]);
}

template <class T>
int loss_all(const void *logits, const int64_t *labels, void *gradient, double *losses,
             int64_t rows, int64_t vocab, float scale, int threads) {
    using element = typename T::element;
    std::atomic<int> failed{0};
    const int64_t chunk = vocab < CHUNK ? CHUNK / vocab : 1;
    in_chunks(threads, rows, chunk, [=, &failed](int64_t start, int64_t stop) {
        auto *raised = (float *)thread_memory((size_t)vocab * sizeof(float));
        if (!raised) {
            failed = 1;
            return;
        }
        for (int64_t row = start; row < stop; row++) {
            element *out = gradient ? (element *)gradient + row * vocab : nullptr;
            if (labels[row] >= 0) {
                losses[row] = loss_row<T>((const element *)logits + row * vocab, labels[row], out,
                                          vocab, scale, raised);
                continue;
            }
            losses[row] = 0;
            if (out) std::memset(out, 0, (size_t)vocab * sizeof(element));
        }
    });
    return failed;
}

}  // namespace

// gelu: x, out [count]. gelu_back: x and above, the gradient of gelu(x), to out, that of x.
// token_loss: logits and gradient (or null) [rows, vocab], labels [rows], below 0 where nothing is
// learned, losses [rows]; returns other than 0 if memory is short.
extern "C" {
void gelu_float32(const void *x, void *out, int64_t count, int threads) {
    gelu_all<F32>(x, out, count, threads);
}
void gelu_bfloat16(const void *x, void *out, int64_t count, int threads) {
    gelu_all<BF16>(x, out, count, threads);
}
void gelu_back_float32(const void *x, const void *above, void *out, int64_t count, int threads) {
    gelu_back_all<F32>(x, above, out, count, threads);
}
void gelu_back_bfloat16(const void *x, const void *above, void *out, int64_t count, int threads) {
    gelu_back_all<BF16>(x, above, out, count, threads);
}
int token_loss_float32(const void *logits, const int64_t *labels, void *gradient, double *losses,
                       int64_t rows, int64_t vocab, float scale, int threads) {
    return loss_all<F32>(logits, labels, gradient, losses, rows, vocab, scale, threads);
}
int token_loss_bfloat16(const void *logits, const int64_t *labels, void *gradient, double *losses,
                        int64_t rows, int64_t vocab, float scale, int threads) {
    return loss_all<BF16>(logits, labels, gradient, losses, rows, vocab, scale, threads);
}
}
