// Attention of one new token per row over that row's own slot of keys and values.
//
// Knows arrays and lengths; knows no model. Each (row, group of heads) is one task that reads its
// own row and nothing else, in an order that depends on its own length alone, so a row's result is
// the same to the bit in any company and on any number of threads. Positions past a row's length
// are never read.

#include <cstdint>
#include <cstdlib>

#include "soften.h"

namespace {

// What the heads of one group see: their queries and outputs [group, dim], one head of keys and
// values with the distance between positions, a bias [group, >= length] or none, and the keys that
// this thread reads next, or none.
template <class T> struct Group {
    using element = typename T::element;
    const element *query, *key, *value, *next_key;
    element *out;
    const float *bias;
    int64_t bias_stride, key_stride, value_stride, heads, dim, length;
    float scale;
};

// Asks for one head's keys or values of a place ahead of their use: the distance from row to row is
// too long for the processor to foresee.
template <int DIM, class element> void call_up(const element *from) {
    for (int d = 0; d < DIM; d += 64 / (int)sizeof(element)) __builtin_prefetch(from + d, 0, 2);
}

// Any head dimension and group size, in scalar tails where they do not fill a vector.
template <class T> void attend_any(const Group<T> &g, float *scratch, int64_t padded) {
    const int64_t whole = g.dim / LANES * LANES;
    for (int64_t head = 0; head < g.heads; head++) {
        const auto *query = g.query + head * g.dim;
        float *weights = scratch + head * padded;
        for (int64_t j = 0; j < g.length; j++) {
            const auto *key = g.key + j * g.key_stride;
            vec dot = {};
            for (int64_t d = 0; d < whole; d += LANES) dot += T::load(query + d) * T::load(key + d);
            float score = sum_lanes(dot);
            for (int64_t d = whole; d < g.dim; d++) score += T::one(query[d]) * T::one(key[d]);
            weights[j] = score * g.scale + (g.bias ? g.bias[head * g.bias_stride + j] : 0.0f);
        }
        const float share = 1.0f / soften(weights, g.length);
        auto *out = g.out + head * g.dim;
        for (int64_t d = 0; d < whole; d += LANES) {
            vec mixed = {};
            for (int64_t j = 0; j < g.length; j++)
                mixed += weights[j] * T::load(g.value + j * g.value_stride + d);
            T::store(out + d, mixed * share);
        }
        for (int64_t d = whole; d < g.dim; d++) {
            float mixed = 0;
            for (int64_t j = 0; j < g.length; j++)
                mixed += weights[j] * T::one(g.value[j * g.value_stride + d]);
            out[d] = T::rounded(mixed * share);
        }
    }
}

// A head dimension and group size known when compiled: each key and value is loaded once for all
// heads of the group, and the sums stay in registers.
template <class T, int DIM, int HEADS>
void attend_known(const Group<T> &g, float *scratch, int64_t padded) {
    constexpr int PARTS = DIM / LANES;
    vec query[HEADS][PARTS];
    for (int head = 0; head < HEADS; head++)
        for (int part = 0; part < PARTS; part++)
            query[head][part] = T::load(g.query + head * DIM + part * LANES);
    for (int64_t j = 0; j < g.length; j++) {
        const auto *key = g.key + j * g.key_stride;
        call_up<DIM>(g.value + j * g.value_stride);
        vec dot[HEADS] = {};
        for (int part = 0; part < PARTS; part++) {
            const vec shown = T::load(key + part * LANES);
            for (int head = 0; head < HEADS; head++) dot[head] += query[head][part] * shown;
        }
        for (int head = 0; head < HEADS; head++)
            scratch[head * padded + j] =
                sum_lanes(dot[head]) * g.scale + (g.bias ? g.bias[head * g.bias_stride + j] : 0.0f);
    }
    float share[HEADS];
    for (int head = 0; head < HEADS; head++)
        share[head] = 1.0f / soften(scratch + head * padded, g.length);
    vec mixed[HEADS][PARTS] = {};
    for (int64_t j = 0; j < g.length; j++) {
        const auto *value = g.value + j * g.value_stride;
        if (g.next_key) call_up<DIM>(g.next_key + j * g.key_stride);
        for (int part = 0; part < PARTS; part++) {
            const vec shown = T::load(value + part * LANES);
            for (int head = 0; head < HEADS; head++)
                mixed[head][part] += scratch[head * padded + j] * shown;
        }
    }
    for (int head = 0; head < HEADS; head++)
        for (int part = 0; part < PARTS; part++)
            T::store(g.out + head * DIM + part * LANES, mixed[head][part] * share[head]);
}

template <class T> void attend_group(const Group<T> &g, float *scratch, int64_t padded) {
    if (g.dim == 64 && g.heads == 1) return attend_known<T, 64, 1>(g, scratch, padded);
    if (g.dim == 64 && g.heads == 2) return attend_known<T, 64, 2>(g, scratch, padded);
    if (g.dim == 64 && g.heads == 3) return attend_known<T, 64, 3>(g, scratch, padded);
    if (g.dim == 64 && g.heads == 4) return attend_known<T, 64, 4>(g, scratch, padded);
    if (g.dim == 128 && g.heads == 1) return attend_known<T, 128, 1>(g, scratch, padded);
    if (g.dim == 128 && g.heads == 2) return attend_known<T, 128, 2>(g, scratch, padded);
    return attend_any(g, scratch, padded);
}

template <class T>
int attend(const void *query, const void *key, const void *value, void *out, const float *bias,
           int64_t bias_stride, const int64_t *lengths, int64_t rows, int64_t heads,
           int64_t kv_heads, int64_t dim, const int64_t *key_strides, const int64_t *value_strides,
           float scale, int threads) {
    using element = typename T::element;
    int64_t longest = 0;
    for (int64_t row = 0; row < rows; row++) longest = lengths[row] > longest ? lengths[row] : longest;
    const int64_t group = heads / kv_heads, padded = (longest + LANES) / LANES * LANES;
    const int64_t tasks = rows * kv_heads;
    const auto keys_of = [=](int64_t task) {
        return (const element *)key + task / kv_heads * key_strides[0] +
               task % kv_heads * key_strides[1];
    };
    int failed = 0;
#pragma omp parallel num_threads(threads)
    {
        float *scratch = (float *)std::aligned_alloc(64, (size_t)(group * padded) * sizeof(float));
        if (!scratch) {
#pragma omp atomic write
            failed = 1;
        }
#pragma omp for schedule(dynamic, 4)
        for (int64_t task = 0; task < tasks; task++) {
            if (!scratch) continue;
            const int64_t row = task / kv_heads, head = task % kv_heads;
            const int64_t first = row * heads + head * group;
            const Group<T> seen = {
                (const element *)query + first * dim,
                keys_of(task),
                (const element *)value + row * value_strides[0] + head * value_strides[1],
                task + 1 < tasks ? keys_of(task + 1) : nullptr,
                (element *)out + first * dim,
                bias ? bias + head * group * bias_stride : nullptr,
                bias_stride,
                key_strides[2],
                value_strides[2],
                group,
                dim,
                lengths[row],
                scale,
            };
            attend_group<T>(seen, scratch, padded);
        }
        std::free(scratch);
    }
    return failed;
}

}  // namespace

// query, out: [rows, heads, dim] contiguous. key, value: [rows, kv_heads, capacity, dim] with the
// strides (in elements) of the first three axes, the last contiguous. bias: [heads, >= longest]
// fp32, the same for all rows, or null. lengths: [rows], at least 1. Returns 0, or 1 when memory
// is short.
extern "C" {
int attend_float32(const void *query, const void *key, const void *value, void *out,
                   const float *bias, int64_t bias_stride, const int64_t *lengths, int64_t rows,
                   int64_t heads, int64_t kv_heads, int64_t dim, const int64_t *key_strides,
                   const int64_t *value_strides, float scale, int threads) {
    return attend<F32>(query, key, value, out, bias, bias_stride, lengths, rows, heads, kv_heads,
                       dim, key_strides, value_strides, scale, threads);
}
int attend_bfloat16(const void *query, const void *key, const void *value, void *out,
                    const float *bias, int64_t bias_stride, const int64_t *lengths, int64_t rows,
                    int64_t heads, int64_t kv_heads, int64_t dim, const int64_t *key_strides,
                    const int64_t *value_strides, float scale, int threads) {
    return attend<BF16>(query, key, value, out, bias, bias_stride, lengths, rows, heads, kv_heads,
                        dim, key_strides, value_strides, scale, threads);
}
}
