// The kernels of a layer as works of a program (`pool.h`): what each needs, and who makes it.
//
// Numbers are fp32 or bf16 throughout. A work keeps a copy of its struct; what the pointers name has
// to stay until it is done. Shapes are those of the functions of the same name at the ends of
// `linear.cpp`, `layer_kernels.cpp` and `decode_attention.cpp`.

#pragma once

#include <atomic>
#include <cstdint>

#include "pool.h"

// out = x weight^T + bias.
struct Product {
    const void *x, *weight, *bias;
    void *out;
    int64_t rows, inputs, outputs, out_stride;
};

// residual += added (if any); out = residual / rms(residual) * weight.
struct Norm {
    void *residual;
    const void *added, *weight;
    void *out;
    int64_t rows, width;
    float epsilon;
};

// Rotary positions, and the write of keys and values into the slots.
struct Rotation {
    const void *joined;
    const float *cosines, *sines;
    const int64_t *positions;
    void *query, *key, *value;
    const int64_t *key_strides, *value_strides;
    int64_t rows, heads, kv_heads, dim;
};

// Attention over the slots. Prefixes: see `decode_attention.cpp`; null where none are shared.
struct Attention {
    const void *query, *key, *value;
    void *out;
    const float *bias;
    int64_t bias_stride;
    const int64_t *lengths, *prefix_rows, *prefix_lengths, *prefix_order;
    int64_t rows, heads, kv_heads, dim;
    const int64_t *key_strides, *value_strides;
    float scale;
};

// `failed` is set when memory is short. `threads` decides how the work is cut, never its result.
Work product_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed);
// The gate and its activation at once: out [rows, outputs / 2] = silu(first half) * second half of
// the product, rounded as if that had been stored.
Work gated_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed);
Work norm_work(bool is_bf16, const Norm &norm);
Work rotation_work(bool is_bf16, const Rotation &rotation);
Work attention_work(bool is_bf16, const Attention &attention, std::atomic<int> *failed);
// Both, where each row attends only to its own slot and to prefixes that are not being written.
Work rotation_and_attention_work(bool is_bf16, const Rotation &rotation,
                                 const Attention &attention, std::atomic<int> *failed);

// One row of the gated activation: silu(gate) * up.
void activate_one(bool is_bf16, const void *gate, const void *up, void *out, int64_t width);
// The heads of one group of one row.
void rotate_group(bool is_bf16, const Rotation &rotation, int64_t row, int64_t group);
