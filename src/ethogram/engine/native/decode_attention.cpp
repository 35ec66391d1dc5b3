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

#include "soften.h"
#include "works.h"

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

// What one task, a row times a group of heads, attends to; `next` is the task after it, or -1.
template <class T> Group<T> group_of(const Attention &a, int64_t task, int64_t next) {
    using element = typename T::element;
    const int64_t group = a.heads / a.kv_heads, row = task / a.kv_heads, head = task % a.kv_heads;
    const auto at = [&](const void *side, const int64_t *strides, int64_t row, int64_t head) {
        return (const element *)side + row * strides[0] + head * strides[1];
    };
    const int64_t source = a.prefix_rows ? a.prefix_rows[row] : row;
    const int64_t first = row * a.heads + head * group;
    return {
        (const element *)a.query + first * a.dim,
        at(a.key, a.key_strides, row, head),
        at(a.value, a.value_strides, row, head),
        at(a.key, a.key_strides, source, head),
        at(a.value, a.value_strides, source, head),
        next < 0 ? nullptr : at(a.key, a.key_strides, next / a.kv_heads, next % a.kv_heads),
        (element *)a.out + first * a.dim,
        a.bias ? a.bias + head * group * a.bias_stride : nullptr,
        a.bias_stride,
        a.key_strides[2],
        a.value_strides[2],
        group,
        a.dim,
        a.lengths[row],
        a.prefix_lengths ? a.prefix_lengths[row] : 0,
        a.prefix_lengths && next >= 0 ? a.prefix_lengths[next / a.kv_heads] : 0,
        a.scale,
    };
}

template <class T>
void attend_tasks(const Attention &a, int64_t padded, const Rotation *rotation, int64_t begin,
                  int64_t end, std::atomic<int> *failed) {
    const size_t numbers = (size_t)(a.heads / a.kv_heads * padded);
    float *scratch = (float *)thread_memory(numbers * sizeof(float));
    if (!scratch) {
        *failed = 1;
        return;
    }
    const auto task_at = [&](int64_t place) {
        return a.prefix_order ? a.prefix_order[place] : place;
    };
    for (int64_t place = begin; place < end; place++) {
        const int64_t task = task_at(place);
        if (rotation)
            rotate_group(sizeof(typename T::element) == 2, *rotation, task / a.kv_heads,
                         task % a.kv_heads);
        const int64_t next = place + 1 < a.rows * a.kv_heads ? task_at(place + 1) : -1;
        attend_group<T>(group_of<T>(a, task, next), scratch, padded);
    }
}

// Positions of the longest row, in whole vectors.
int64_t padded_length(const Attention &a) {
    int64_t longest = 0;
    for (int64_t row = 0; row < a.rows; row++)
        longest = a.lengths[row] > longest ? a.lengths[row] : longest;
    return (longest + LANES) / LANES * LANES;
}

int attend(bool is_bf16, const Attention &attention, int threads) {
    std::atomic<int> failed{0};
    const Work work = attention_work(is_bf16, attention, &failed);
    run_works(threads, &work, 1);
    return failed;
}

}  // namespace

Work attention_work(bool is_bf16, const Attention &a, std::atomic<int> *failed) {
    const int64_t padded = padded_length(a);
    return {a.rows * a.kv_heads, 4, [=](int64_t begin, int64_t end) {
                is_bf16 ? attend_tasks<BF16>(a, padded, nullptr, begin, end, failed)
                        : attend_tasks<F32>(a, padded, nullptr, begin, end, failed);
            }};
}

Work rotation_and_attention_work(bool is_bf16, const Rotation &rotation, const Attention &a,
                                 std::atomic<int> *failed) {
    const int64_t padded = padded_length(a);
    return {a.rows * a.kv_heads, 4, [=](int64_t begin, int64_t end) {
                is_bf16 ? attend_tasks<BF16>(a, padded, &rotation, begin, end, failed)
                        : attend_tasks<F32>(a, padded, &rotation, begin, end, failed);
            }};
}

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
    return attend(false,
                  {query, key, value, out, bias, bias_stride, lengths, prefix_rows, prefix_lengths,
                   order, rows, heads, kv_heads, dim, key_strides, value_strides, scale},
                  threads);
}
int attend_bfloat16(const void *query, const void *key, const void *value, void *out,
                    const float *bias, int64_t bias_stride, const int64_t *lengths,
                    const int64_t *prefix_rows, const int64_t *prefix_lengths,
                    const int64_t *order, int64_t rows, int64_t heads, int64_t kv_heads,
                    int64_t dim, const int64_t *key_strides, const int64_t *value_strides,
                    float scale, int threads) {
    return attend(true,
                  {query, key, value, out, bias, bias_stride, lengths, prefix_rows, prefix_lengths,
                   order, rows, heads, kv_heads, dim, key_strides, value_strides, scale},
                  threads);
}
}
