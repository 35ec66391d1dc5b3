// What a layer of the Llama family does between its matrix products: norms with the residual,
// rotary positions with the write into the slots, and the gated activation, each in one pass.
//
// Every row is computed by itself, in fp32, and rounded where transformers stores a result that a
// later step reads twice: the residual sum and the normed row before its weight.

#include <cmath>
#include <cstdint>

#include "numbers.h"
#include "works.h"

namespace {

// Rows of `width` numbers to hand out together: some microseconds of work.
int64_t rows_of(int64_t width) { return width < 8192 ? 8192 / width : 1; }

// residual += added (if any); out = residual / rms(residual) * weight.
template <class T>
void norm_row(typename T::element *residual, const typename T::element *added,
              const typename T::element *weight, typename T::element *out, int64_t width,
              float epsilon) {
    const int64_t whole = width / LANES * LANES;
    vec squares = {};
    for (int64_t i = 0; i < whole; i += LANES) {
        vec x = T::load(residual + i);
        if (added) {
            T::store(residual + i, x + T::load(added + i));
            x = T::load(residual + i);
        }
        squares += x * x;
    }
    float square = sum_lanes(squares);
    for (int64_t i = whole; i < width; i++) {
        if (added) residual[i] = T::rounded(T::one(residual[i]) + T::one(added[i]));
        const float x = T::one(residual[i]);
        square += x * x;
    }
    const float scale = 1.0f / std::sqrt(square / width + epsilon);
    for (int64_t i = 0; i < whole; i += LANES) {
        T::store(out + i, T::load(residual + i) * scale);
        T::store(out + i, T::load(weight + i) * T::load(out + i));
    }
    for (int64_t i = whole; i < width; i++) {
        out[i] = T::rounded(T::one(residual[i]) * scale);
        out[i] = T::rounded(T::one(weight[i]) * T::one(out[i]));
    }
}

// One head: (a, b) -> (a cos - b sin, b cos + a sin), a and b its halves.
template <class T>
void rotate_head(const typename T::element *from, const float *cosine, const float *sine,
                 typename T::element *to, int64_t half) {
    const int64_t whole = half / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        const vec a = T::load(from + i), b = T::load(from + half + i);
        const vec c = F32::load(cosine + i), s = F32::load(sine + i);
        T::store(to + i, a * c - b * s);
        T::store(to + half + i, b * c + a * s);
    }
    for (int64_t i = whole; i < half; i++) {
        const float a = T::one(from[i]), b = T::one(from[half + i]);
        to[i] = T::rounded(a * cosine[i] - b * sine[i]);
        to[half + i] = T::rounded(b * cosine[i] + a * sine[i]);
    }
}

template <class T> void norm_rows(const Norm &n, int64_t start, int64_t stop) {
    using element = typename T::element;
    for (int64_t row = start; row < stop; row++)
        norm_row<T>((element *)n.residual + row * n.width,
                    n.added ? (const element *)n.added + row * n.width : nullptr,
                    (const element *)n.weight, (element *)n.out + row * n.width, n.width,
                    n.epsilon);
}

// The query heads of a group, its key head and its value head.
template <class T> void rotate_one(const Rotation &r, int64_t row, int64_t group) {
    using element = typename T::element;
    const int64_t half = r.dim / 2, shared = r.heads / r.kv_heads, place = r.positions[row];
    const auto *from = (const element *)r.joined + row * (r.heads + 2 * r.kv_heads) * r.dim;
    const float *cosine = r.cosines + place * half, *sine = r.sines + place * half;
    for (int64_t head = group * shared; head < (group + 1) * shared; head++)
        rotate_head<T>(from + head * r.dim, cosine, sine,
                       (element *)r.query + (row * r.heads + head) * r.dim, half);
    const auto to = [&](void *side, const int64_t *strides) {
        return (element *)side + row * strides[0] + group * strides[1] + place * strides[2];
    };
    rotate_head<T>(from + (r.heads + group) * r.dim, cosine, sine, to(r.key, r.key_strides), half);
    std::memcpy(to(r.value, r.value_strides), from + (r.heads + r.kv_heads + group) * r.dim,
                r.dim * sizeof(element));
}

// silu(gate) * up, with silu(x) = x / (1 + exp(-x)).
template <class T>
void activate_row(const typename T::element *gate, const typename T::element *up,
                  typename T::element *out, int64_t width) {
    const auto silu = [](vec x) {
        const vec raised = exp_of(x < 0.0f ? x : -x);  // exp(-|x|)
        return x * (x < 0.0f ? raised : vec{} + 1.0f) / (raised + 1.0f);
    };
    const int64_t whole = width / LANES * LANES;
    for (int64_t i = 0; i < whole; i += LANES) {
        T::store(out + i, silu(T::load(gate + i)));
        T::store(out + i, T::load(out + i) * T::load(up + i));
    }
    for (int64_t i = whole; i < width; i++) {
        out[i] = T::rounded(silu(vec{} + T::one(gate[i]))[0]);
        out[i] = T::rounded(T::one(out[i]) * T::one(up[i]));
    }
}

template <class T> void activate_rows(const void *joined, void *out, int64_t width, int64_t start,
                                      int64_t stop) {
    using element = typename T::element;
    for (int64_t row = start; row < stop; row++) {
        const element *gate = (const element *)joined + 2 * row * width;
        activate_row<T>(gate, gate + width, (element *)out + row * width, width);
    }
}

void run_alone(const Work &work, int threads) { run_works(threads, &work, 1); }

}  // namespace

Work norm_work(bool is_bf16, const Norm &norm) {
    return {norm.rows, rows_of(norm.width), [=](int64_t start, int64_t stop) {
                is_bf16 ? norm_rows<BF16>(norm, start, stop) : norm_rows<F32>(norm, start, stop);
            }};
}

void rotate_group(bool is_bf16, const Rotation &rotation, int64_t row, int64_t group) {
    is_bf16 ? rotate_one<BF16>(rotation, row, group) : rotate_one<F32>(rotation, row, group);
}

Work rotation_work(bool is_bf16, const Rotation &rotation) {
    const int64_t width = (rotation.heads + 2 * rotation.kv_heads) * rotation.dim;
    return {rotation.rows, rows_of(width), [=](int64_t start, int64_t stop) {
                for (int64_t row = start; row < stop; row++)
                    for (int64_t group = 0; group < rotation.kv_heads; group++)
                        rotate_group(is_bf16, rotation, row, group);
            }};
}

void activate_one(bool is_bf16, const void *gate, const void *up, void *out, int64_t width) {
    is_bf16 ? activate_row<BF16>((const uint16_t *)gate, (const uint16_t *)up, (uint16_t *)out, width)
            : activate_row<F32>((const float *)gate, (const float *)up, (float *)out, width);
}

// norm: residual, added (or null), out [rows, width]; weight [width].
// rotate: joined [rows, heads + 2 kv_heads, dim] holds query, key and value of each row, cosines
// and sines [positions, dim / 2], positions [rows] the position of each row. query [rows, heads, dim].
// key and value: first element of the first row's slot, with the strides (in elements) of rows,
// heads and positions; rows of one prompt share a slot by a stride of 0.
// activate: joined [rows, 2, width] holds gate and up of each row, out [rows, width].
extern "C" {
void norm_float32(void *residual, const void *added, const void *weight, void *out, int64_t rows,
                  int64_t width, float epsilon, int threads) {
    run_alone(norm_work(false, {residual, added, weight, out, rows, width, epsilon}), threads);
}
void norm_bfloat16(void *residual, const void *added, const void *weight, void *out, int64_t rows,
                   int64_t width, float epsilon, int threads) {
    run_alone(norm_work(true, {residual, added, weight, out, rows, width, epsilon}), threads);
}
void rotate_float32(const void *joined, const float *cosines, const float *sines,
                    const int64_t *positions, void *query, void *key, void *value,
                    const int64_t *key_strides, const int64_t *value_strides, int64_t rows,
                    int64_t heads, int64_t kv_heads, int64_t dim, int threads) {
    run_alone(rotation_work(false, {joined, cosines, sines, positions, query, key, value,
                                  key_strides, value_strides, rows, heads, kv_heads, dim}),
              threads);
}
void rotate_bfloat16(const void *joined, const float *cosines, const float *sines,
                     const int64_t *positions, void *query, void *key, void *value,
                     const int64_t *key_strides, const int64_t *value_strides, int64_t rows,
                     int64_t heads, int64_t kv_heads, int64_t dim, int threads) {
    run_alone(rotation_work(true, {joined, cosines, sines, positions, query, key, value,
                                  key_strides, value_strides, rows, heads, kv_heads, dim}),
              threads);
}
void activate_float32(const void *joined, void *out, int64_t rows, int64_t width, int threads) {
    in_chunks(threads, rows, rows_of(2 * width), [=](int64_t start, int64_t stop) {
        activate_rows<F32>(joined, out, width, start, stop);
    });
}
void activate_bfloat16(const void *joined, void *out, int64_t rows, int64_t width, int threads) {
    in_chunks(threads, rows, rows_of(2 * width), [=](int64_t start, int64_t stop) {
        activate_rows<BF16>(joined, out, width, start, stop);
    });
}
}
