// Attention of every position of a text over the positions of the same text that a mask allows.
//
// Each (text, head) is one task, small enough for one thread's caches: keys are transposed, so that
// sixteen scores come from one vector, and everything is summed in fp32 in an order that depends only
// on the length.

#include <atomic>
#include <cstdint>
#include <cstdlib>

#include "pool.h"
#include "soften.h"

namespace {

// One head of one text: queries, keys and values with the distances between positions, the positions
// that each position may attend to [length, length] or none for all, and its output.
template <class T> struct Head {
    using element = typename T::element;
    const element *query, *key, *value;
    const uint8_t *seen;
    element *out;
    int64_t query_stride, key_stride, value_stride, seen_stride, out_stride, length, dim;
    float scale;
};

// Scratch of one thread; rows hold whole vectors, filled up with zeros.
struct Scratch {
    float *queries, *keys, *values, *weights, *mixed;
};

constexpr int64_t BLOCK = 6;  // Queries at a time: 6 x 2 sums and 2 operands fit the registers.

int64_t whole(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

// out[BLOCK, columns] = a[BLOCK, inner] * b[inner, columns], columns a whole number of vectors.
template <int VECTORS>
void product_of_columns(const float *a, int64_t a_stride, const float *b, int64_t b_stride,
                        int64_t inner, float *out, int64_t out_stride) {
    vec sums[BLOCK][VECTORS] = {};
    for (int64_t k = 0; k < inner; k++) {
        vec columns[VECTORS];
        for (int v = 0; v < VECTORS; v++) columns[v] = F32::load(b + k * b_stride + v * LANES);
        for (int row = 0; row < BLOCK; row++)
            for (int v = 0; v < VECTORS; v++) sums[row][v] += a[row * a_stride + k] * columns[v];
    }
    for (int row = 0; row < BLOCK; row++)
        for (int v = 0; v < VECTORS; v++)
            F32::store(out + row * out_stride + v * LANES, sums[row][v]);
}

void product(const float *a, int64_t a_stride, const float *b, int64_t columns, int64_t inner,
             float *out) {
    int64_t at = 0;
    for (; at + 2 * LANES <= columns; at += 2 * LANES)
        product_of_columns<2>(a, a_stride, b + at, columns, inner, out + at, columns);
    if (at < columns) product_of_columns<1>(a, a_stride, b + at, columns, inner, out + at, columns);
}

template <class T>
void widen(const typename T::element *from, int64_t count, float scale, float *to) {
    const int64_t full = count / LANES * LANES;
    for (int64_t d = 0; d < full; d += LANES) F32::store(to + d, T::load(from + d) * scale);
    for (int64_t d = full; d < count; d++) to[d] = T::one(from[d]) * scale;
}

template <class T> void narrow(const float *from, int64_t count, typename T::element *to) {
    const int64_t full = count / LANES * LANES;
    for (int64_t d = 0; d < full; d += LANES) T::store(to + d, F32::load(from + d));
    for (int64_t d = full; d < count; d++) to[d] = T::rounded(from[d]);
}

// Reads the head into fp32: queries scaled, keys [dim, places], queries and values [places, dim].
template <class T> void read(const Head<T> &head, const Scratch &to) {
    const int64_t places = whole(head.length), wide = whole(head.dim);
    for (int64_t j = 0; j < head.length; j++) {
        widen<T>(head.query + j * head.query_stride, head.dim, head.scale, to.queries + j * wide);
        widen<T>(head.value + j * head.value_stride, head.dim, 1.0f, to.values + j * wide);
        widen<T>(head.key + j * head.key_stride, head.dim, 1.0f, to.mixed);
        for (int64_t d = 0; d < head.dim; d++) to.keys[d * places + j] = to.mixed[d];
    }
}

// Scores to weights that sum to 1; a position that may attend to nothing gets zeros.
template <class T> void weigh(const Head<T> &head, int64_t position, float *scores) {
    if (head.seen) {
        const uint8_t *seen = head.seen + position * head.seen_stride;
        for (int64_t j = 0; j < head.length; j++) scores[j] = seen[j] ? scores[j] : -INFINITY;
    }
    const float total = soften(scores, head.length);
    const float share = total > 0 ? 1.0f / total : 0.0f;
    for (int64_t j = 0; j < head.length; j += LANES)
        F32::store(scores + j, F32::load(scores + j) * share);
}

template <class T> void attend_head(const Head<T> &head, const Scratch &scratch) {
    const int64_t places = whole(head.length), wide = whole(head.dim);
    read(head, scratch);
    for (int64_t first = 0; first < head.length; first += BLOCK) {
        const int64_t rows = head.length - first < BLOCK ? head.length - first : BLOCK;
        product(scratch.queries + first * wide, wide, scratch.keys, places, head.dim,
                scratch.weights);
        for (int64_t row = 0; row < rows; row++)
            weigh(head, first + row, scratch.weights + row * places);
        product(scratch.weights, places, scratch.values, wide, head.length, scratch.mixed);
        for (int64_t row = 0; row < rows; row++)
            narrow<T>(scratch.mixed + row * wide, head.dim,
                      head.out + (first + row) * head.out_stride);
    }
}

template <class T>
int attend_texts(const void *query, const void *key, const void *value, const uint8_t *seen,
                 void *out, int64_t texts, int64_t heads, int64_t length, int64_t dim,
                 const int64_t *query_strides, const int64_t *key_strides,
                 const int64_t *value_strides, const int64_t *seen_strides, float scale,
                 int threads) {
    using element = typename T::element;
    const int64_t places = whole(length), wide = whole(dim);
    // A block may start at the last position and read on.
    const int64_t rows = length + BLOCK - 1;
    const int64_t room = rows * wide + dim * places + length * wide + BLOCK * (places + wide);
    std::atomic<int> failed{0};
    in_chunks(threads, texts * heads, 4, [&](int64_t begin, int64_t end) {
        const size_t bytes = (size_t)whole(room) * sizeof(float);
        float *memory = (float *)thread_memory(bytes);
        if (!memory) {
            failed = 1;
            return;
        }
        std::memset(memory, 0, bytes);
        Scratch scratch = {memory};
        scratch.keys = scratch.queries + rows * wide;
        scratch.values = scratch.keys + dim * places;
        scratch.weights = scratch.values + length * wide;
        scratch.mixed = scratch.weights + BLOCK * places;
        for (int64_t task = begin; task < end; task++) {
            const int64_t text = task / heads, head = task % heads;
            attend_head<T>(
                {
                    (const element *)query + text * query_strides[0] + head * query_strides[1],
                    (const element *)key + text * key_strides[0] + head * key_strides[1],
                    (const element *)value + text * value_strides[0] + head * value_strides[1],
                    seen ? seen + text * seen_strides[0] : nullptr,
                    (element *)out + (text * length * heads + head) * dim,
                    query_strides[2],
                    key_strides[2],
                    value_strides[2],
                    seen_strides[1],
                    heads * dim,
                    length,
                    dim,
                    scale,
                },
                scratch);
        }
    });
    return failed;
}

}  // namespace

// query, key, value: [texts, heads, length, dim] with the strides (in elements) of the first three
// axes, the last contiguous. seen: [texts, length, length] bytes, 0 where a position may not attend,
// with the strides of the first two axes, or null. out: [texts, length, heads, dim] contiguous.
// Returns 0, or 1 when memory is short.
extern "C" {
int attend_texts_float32(const void *query, const void *key, const void *value, const uint8_t *seen,
                         void *out, int64_t texts, int64_t heads, int64_t length, int64_t dim,
                         const int64_t *query_strides, const int64_t *key_strides,
                         const int64_t *value_strides, const int64_t *seen_strides, float scale,
                         int threads) {
    return attend_texts<F32>(query, key, value, seen, out, texts, heads, length, dim, query_strides,
                             key_strides, value_strides, seen_strides, scale, threads);
}
int attend_texts_bfloat16(const void *query, const void *key, const void *value,
                          const uint8_t *seen, void *out, int64_t texts, int64_t heads,
                          int64_t length, int64_t dim, const int64_t *query_strides,
                          const int64_t *key_strides, const int64_t *value_strides,
                          const int64_t *seen_strides, float scale, int threads) {
    return attend_texts<BF16>(query, key, value, seen, out, texts, heads, length, dim,
                              query_strides, key_strides, value_strides, seen_strides, scale,
                              threads);
}
}
