// Attention of one new token per row over that row's own slot of keys and values.
//
// Each (row, group of heads) is one task that reads only what its own row holds, in an order that
// depends only on its own length, so a row's result is the same to the bit in any batch and on any
// number of threads. Positions past a row's length are never read. Rows with equal first positions may
// all read one row's copy, which then stays in the caches: the values are equal wherever they are.

#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "pool.h"
#include "soften.h"

namespace {

// What the heads of one group see: their queries and outputs [group, dim], one head of keys and
// values with the distance between positions, another row's copy of the first of these, a bias
// [group, >= length] or none, and the keys that this thread reads next, or none.
template <class T> struct Group {
    using element = typename T::element;
    const element *query, *key, *value, *prefix_key, *prefix_value, *next_key;
    element *out;
    const float *bias;
    int64_t bias_stride, key_stride, value_stride, heads, dim, length, prefix, next_prefix;
    float scale;

    const element *key_at(int64_t j) const {
        return (j < prefix ? prefix_key : key) + j * key_stride;
    }
    const element *value_at(int64_t j) const {
        return (j < prefix ? prefix_value : value) + j * value_stride;
    }
};

// Prefetches one head's keys or values of a position: the distance from row to row is too long for
// the processor's own prefetcher.
template <int DIM, class element> void prefetch(const element *from) {
    for (int d = 0; d < DIM; d += 64 / (int)sizeof(element)) __builtin_prefetch(from + d, 0, 2);
}

// Any head dimension and group size, in scalar tails where they do not fill a vector. Tails fuse each
// product with its sum by name: left to the compiler, some versions of a loop do and others do not.
template <class T> void attend_any(const Group<T> &g, float *scratch, int64_t padded) {
    const int64_t whole = g.dim / LANES * LANES;
    for (int64_t head = 0; head < g.heads; head++) {
        const auto *query = g.query + head * g.dim;
        float *weights = scratch + head * padded;
        for (int64_t j = 0; j < g.length; j++) {
            const auto *key = g.key_at(j);
            vec dot = {};
            for (int64_t d = 0; d < whole; d += LANES) dot += T::load(query + d) * T::load(key + d);
            float score = sum_lanes(dot);
            for (int64_t d = whole; d < g.dim; d++)
                score = std::fma(T::one(query[d]), T::one(key[d]), score);
            weights[j] = score * g.scale + (g.bias ? g.bias[head * g.bias_stride + j] : 0.0f);
        }
        const float share = 1.0f / soften(weights, g.length);
        auto *out = g.out + head * g.dim;
        for (int64_t d = 0; d < whole; d += LANES) {
            vec mixed = {};
            for (int64_t j = 0; j < g.length; j++)
                mixed += weights[j] * T::load(g.value_at(j) + d);
            T::store(out + d, mixed * share);
        }
        for (int64_t d = whole; d < g.dim; d++) {
            float mixed = 0;
            for (int64_t j = 0; j < g.length; j++)
                mixed = std::fma(weights[j], T::one(g.value_at(j)[d]), mixed);
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
        for (int part = 0; part < PARTS; part += 2)
            T::load_two(g.query + head * DIM + part * LANES, query[head][part], query[head][part + 1]);
    for (int64_t start = 0; start < g.length; start += LANES) {
        const int count = g.length - start < LANES ? (int)(g.length - start) : LANES;
        vec dots[HEADS][LANES] = {};
        for (int place = 0; place < count; place++) {
            const auto *key = g.key_at(start + place);
            prefetch<DIM>(g.value_at(start + place));
            vec dot[HEADS] = {};
            for (int part = 0; part < PARTS; part += 2) {
                vec one, two;
                T::load_two(key + part * LANES, one, two);
                for (int head = 0; head < HEADS; head++) {
                    dot[head] += query[head][part] * one;
                    dot[head] += query[head][part + 1] * two;
                }
            }
            for (int head = 0; head < HEADS; head++) dots[head][place] = dot[head];
        }
        for (int head = 0; head < HEADS; head++)
            F32::store(scratch + head * padded + start, sums_of_lanes(dots[head]) * g.scale);
    }
    if (g.bias)
        for (int head = 0; head < HEADS; head++)
            for (int64_t j = 0; j < g.length; j++)
                scratch[head * padded + j] += g.bias[head * g.bias_stride + j];
    float share[HEADS];
    for (int head = 0; head < HEADS; head++)
        share[head] = 1.0f / soften(scratch + head * padded, g.length);
    vec mixed[HEADS][PARTS] = {};
    for (int64_t j = 0; j < g.length; j++) {
        const auto *value = g.value_at(j);
        if (g.next_key && j >= g.next_prefix) prefetch<DIM>(g.next_key + j * g.key_stride);
        for (int part = 0; part < PARTS; part += 2) {
            vec one, two;
            T::load_two(value + part * LANES, one, two);
            for (int head = 0; head < HEADS; head++) {
                mixed[head][part] += scratch[head * padded + j] * one;
                mixed[head][part + 1] += scratch[head * padded + j] * two;
            }
        }
    }
    for (int head = 0; head < HEADS; head++)
        for (int part = 0; part < PARTS; part += 2)
            T::store_two(g.out + head * DIM + part * LANES, mixed[head][part] * share[head],
                         mixed[head][part + 1] * share[head]);
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

// Rows that hold the same first positions: whose copy each reads, how many positions of it, and an
// order of the tasks in which those of one copy follow each other. All null where none do.
struct PrefixGroups {
    const int64_t *rows, *lengths, *order;
};

template <class T>
int attend(const void *query, const void *key, const void *value, void *out, const float *bias,
           int64_t bias_stride, const int64_t *lengths, PrefixGroups prefixes, int64_t rows,
           int64_t heads, int64_t kv_heads, int64_t dim, const int64_t *key_strides,
           const int64_t *value_strides, float scale, int threads) {
    using element = typename T::element;
    int64_t longest = 0;
    for (int64_t row = 0; row < rows; row++) longest = lengths[row] > longest ? lengths[row] : longest;
    const int64_t group = heads / kv_heads, padded = (longest + LANES) / LANES * LANES;
    const int64_t tasks = rows * kv_heads;
    const auto task_at = [=](int64_t place) {
        return prefixes.order ? prefixes.order[place] : place;
    };
    const auto keys_of = [=](int64_t row, int64_t head) {
        return (const element *)key + row * key_strides[0] + head * key_strides[1];
    };
    const auto values_of = [=](int64_t row, int64_t head) {
        return (const element *)value + row * value_strides[0] + head * value_strides[1];
    };
    std::atomic<int> failed{0};
    in_chunks(threads, tasks, 4, [&](int64_t begin, int64_t end) {
        float *scratch = (float *)thread_memory((size_t)(group * padded) * sizeof(float));
        if (!scratch) {
            failed = 1;
            return;
        }
        for (int64_t place = begin; place < end; place++) {
            const int64_t task = task_at(place), row = task / kv_heads, head = task % kv_heads;
            const int64_t next = place + 1 < tasks ? task_at(place + 1) : -1;
            const int64_t source = prefixes.rows ? prefixes.rows[row] : row;
            const int64_t first = row * heads + head * group;
            const Group<T> seen = {
                (const element *)query + first * dim,
                keys_of(row, head),
                values_of(row, head),
                keys_of(source, head),
                values_of(source, head),
                next < 0 ? nullptr : keys_of(next / kv_heads, next % kv_heads),
                (element *)out + first * dim,
                bias ? bias + head * group * bias_stride : nullptr,
                bias_stride,
                key_strides[2],
                value_strides[2],
                group,
                dim,
                lengths[row],
                prefixes.lengths ? prefixes.lengths[row] : 0,
                prefixes.lengths && next >= 0 ? prefixes.lengths[next / kv_heads] : 0,
                scale,
            };
            attend_group<T>(seen, scratch, padded);
        }
    });
    return failed;
}

}  // namespace

// query, out: [rows, heads, dim] contiguous. key, value: [rows, kv_heads, capacity, dim] with the
// strides (in elements) of the first three axes, the last contiguous. bias: [heads, >= longest]
// fp32, the same for all rows, or null. lengths: [rows], at least 1. prefix_rows: [rows], the row
// whose first positions are equal to this row's, prefix_lengths: [rows], how many, at most its length;
// order: [rows * kv_heads], each task row * kv_heads + head once; or all three null. Returns 0, or 1
// when memory is short.
extern "C" {
int attend_float32(const void *query, const void *key, const void *value, void *out,
                   const float *bias, int64_t bias_stride, const int64_t *lengths,
                   const int64_t *prefix_rows, const int64_t *prefix_lengths, const int64_t *order,
                   int64_t rows, int64_t heads, int64_t kv_heads, int64_t dim,
                   const int64_t *key_strides, const int64_t *value_strides, float scale,
                   int threads) {
    return attend<F32>(query, key, value, out, bias, bias_stride, lengths,
                       {prefix_rows, prefix_lengths, order}, rows, heads, kv_heads, dim,
                       key_strides, value_strides, scale, threads);
}
int attend_bfloat16(const void *query, const void *key, const void *value, void *out,
                    const float *bias, int64_t bias_stride, const int64_t *lengths,
                    const int64_t *prefix_rows, const int64_t *prefix_lengths,
                    const int64_t *order, int64_t rows, int64_t heads, int64_t kv_heads,
                    int64_t dim, const int64_t *key_strides, const int64_t *value_strides,
                    float scale, int threads) {
    return attend<BF16>(query, key, value, out, bias, bias_stride, lengths,
                        {prefix_rows, prefix_lengths, order}, rows, heads, kv_heads, dim,
                        key_strides, value_strides, scale, threads);
}
}
