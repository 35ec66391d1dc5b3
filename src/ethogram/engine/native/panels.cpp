// Products of rows with a weight matrix where there is AVX-512: out = x weight^T + bias. Elsewhere they
// are those of `dots.cpp`.
//
// An element of the result is one sum that runs over the inputs in their order, in one lane of one
// register, whatever else is computed beside it. So the product is batch-invariant, and the same on
// any number of threads; nothing needs padding. The weight stays as torch stores it, [outputs,
// inputs]: a panel of outputs at a time is transposed into a buffer that fits the second-level cache,
// and all rows are multiplied with it there. That costs a few per cent of the work for many rows, and
// is hidden by memory latency for few.

#if defined(__AVX512F__)

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "products.h"

#include <immintrin.h>

namespace {

// A panel is so many registers wide and a tile so many rows high that the sums of a tile stay in
// registers: 12 x 2 of the 32.
constexpr int LANES = 16, ACROSS = 2, DOWN = 12;
constexpr int PANEL = LANES * ACROSS;

using vec = float __attribute__((vector_size(4 * LANES)));
using words = uint32_t __attribute__((vector_size(4 * LANES)));
using loose_words = uint32_t __attribute__((vector_size(4 * LANES), aligned(4)));
using halves = uint16_t __attribute__((vector_size(2 * LANES)));
using loose_halves = uint16_t __attribute__((vector_size(2 * LANES), aligned(2)));

inline vec fused(vec a, vec b, vec sum) {
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
}

// Weights and inputs are read as 32-bit words: one float, or two neighbouring bf16.
struct F32 {
    using element = float;
    static constexpr int PER_WORD = 1;
    static vec accumulate(words a, words b, vec sum) { return fused((vec)a, (vec)b, sum); }
    static uint32_t alone(float x) {
        uint32_t word;
        std::memcpy(&word, &x, 4);
        return word;
    }
    static void store(float *to, vec x) { std::memcpy(to, &x, sizeof x); }
    static float one(float x) { return x; }
};

struct BF16 {
    using element = uint16_t;
    static constexpr int PER_WORD = 2;
    static vec accumulate(words a, words b, vec sum) {
#if defined(__AVX512BF16__)
        return (vec)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
        sum = fused((vec)(a << 16), (vec)(b << 16), sum);
        return fused((vec)(a & 0xffff0000u), (vec)(b & 0xffff0000u), sum);
#endif
    }
    static uint32_t alone(uint16_t x) { return x; }  // with a zero beside it
    // Round to nearest, ties to even; a NaN stays one.
    static void store(uint16_t *to, vec x) {
        words word = (words)x;
        words rounded = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
        word = x == x ? rounded : (word >> 16) | 0x40;
        *(loose_halves *)to = __builtin_convertvector(word, halves);
    }
    static float one(uint16_t x) {
        uint32_t word = (uint32_t)x << 16;
        float value;
        std::memcpy(&value, &word, 4);
        return value;
    }
};

inline uint32_t word_at(const void *from, int64_t index) {
    uint32_t word;
    std::memcpy(&word, (const char *)from + 4 * index, 4);
    return word;
}

// A block of 16 outputs x 16 words, transposed. `ahead` is how far on, in bytes, the weight
// will be read next: the processor does not prefetch so many streams by itself.
void turn(const char *from, int64_t stride, int64_t outputs, int64_t count, uint32_t *to,
          int64_t ahead) {
    __m512i r[16], t[16];
    const __mmask16 some = (__mmask16)((1u << count) - 1);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++) {
        if (i < outputs) {
            r[i] = _mm512_maskz_loadu_epi32(some, from + i * stride);
            __builtin_prefetch(from + i * stride + ahead, 0, 2);
        } else {
            r[i] = _mm512_setzero_si512();
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 2) {
        t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
        t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i += 4) {
        r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
        r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
        r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
        r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
    }
#pragma GCC unroll 16
    for (int j = 0; j < 4; j++) {
        t[j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0x88);
        t[4 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0x88);
        t[8 + j] = _mm512_shuffle_i32x4(r[j], r[4 + j], 0xdd);
        t[12 + j] = _mm512_shuffle_i32x4(r[8 + j], r[12 + j], 0xdd);
    }
#pragma GCC unroll 16
    for (int j = 0; j < 4; j++) {
        r[j] = _mm512_shuffle_i32x4(t[j], t[4 + j], 0x88);
        r[4 + j] = _mm512_shuffle_i32x4(t[8 + j], t[12 + j], 0x88);
        r[8 + j] = _mm512_shuffle_i32x4(t[j], t[4 + j], 0xdd);
        r[12 + j] = _mm512_shuffle_i32x4(t[8 + j], t[12 + j], 0xdd);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        if (i < count) _mm512_store_si512(to + i * PANEL, r[i]);
}

// Up to PANEL outputs of [outputs, inputs] become [words, PANEL].
template <class T>
void turn_panel(const typename T::element *weight, int64_t inputs, int64_t outputs, uint32_t *to) {
    const int64_t whole = inputs / T::PER_WORD, stride = inputs * sizeof(*weight);
    for (int64_t first = 0; first < whole; first += 16) {
        const int64_t count = whole - first < 16 ? whole - first : 16;
        for (int64_t column = 0; column < PANEL; column += LANES)
            turn((const char *)(weight + column * inputs) + 4 * first, stride, outputs - column,
                 count, to + first * PANEL + column, PANEL * stride);
    }
    if (whole * T::PER_WORD < inputs)
        for (int64_t j = 0; j < PANEL; j++)
            to[whole * PANEL + j] = j < outputs ? T::alone(weight[(j + 1) * inputs - 1]) : 0;
}

// Memory to prefetch while a tile is computed: `pace` bytes a word, so that the tiles of one panel
// together prefetch the next one.
struct Ahead {
    const char *from;
    int64_t pace;
    void call(int64_t word) const {
        __builtin_prefetch(from + word * pace, 0, 2);
        if (pace > 64) __builtin_prefetch(from + word * pace + 64, 0, 2);
    }
};

template <class T, int HIGH>
void tile(const Task<T> &task, const uint32_t *panel, int64_t row, int64_t first, int64_t wide,
          Ahead ahead) {
    const auto *x = task.x + row * task.inputs;
    const int64_t inputs = task.inputs, whole = inputs / T::PER_WORD;
    vec sum[HIGH][ACROSS] = {};
    const auto step = [&](const uint32_t *at, auto word) {
        words b[ACROSS];
#pragma GCC unroll 16
        for (int c = 0; c < ACROSS; c++) b[c] = *(const words *)(at + c * LANES);
#pragma GCC unroll 16
        for (int r = 0; r < HIGH; r++) {
            const words a = words{} + word(r);
#pragma GCC unroll 16
            for (int c = 0; c < ACROSS; c++) sum[r][c] = T::accumulate(a, b[c], sum[r][c]);
        }
    };
    for (int64_t i = 0; i < whole; i++) {
        ahead.call(i);
        step(panel + i * PANEL, [&](int r) { return word_at(x + r * inputs, i); });
    }
    if (whole * T::PER_WORD < inputs)
        step(panel + whole * PANEL, [&](int r) { return T::alone(x[(r + 1) * inputs - 1]); });
    float bias[PANEL] = {};
    if (task.bias)
        for (int64_t j = 0; j < wide; j++) bias[j] = T::one(task.bias[first + j]);
#pragma GCC unroll 16
    for (int r = 0; r < HIGH; r++) {
        auto *to = task.out + (row + r) * task.out_stride + first;
        typename T::element rounded[PANEL];
#pragma GCC unroll 16
        for (int c = 0; c < ACROSS; c++) {
            vec added;
            std::memcpy(&added, bias + c * LANES, sizeof added);
            T::store((wide == PANEL ? to : rounded) + c * LANES, sum[r][c] + added);
        }
        if (wide < PANEL) std::memcpy(to, rounded, wide * sizeof *to);
    }
}

template <class T, int HIGH = DOWN>
void rest(const Task<T> &task, const uint32_t *panel, int64_t row, int64_t left, int64_t first,
          int64_t wide, Ahead ahead) {
    if constexpr (HIGH > 0) {
        if (left == HIGH)
            tile<T, HIGH>(task, panel, row, first, wide, ahead);
        else
            rest<T, HIGH - 1>(task, panel, row, left, first, wide, ahead);
    }
}

struct Panels {
    static constexpr int64_t PANEL = ::PANEL, DOWN = ::DOWN;

    template <class T> static int64_t bytes(const Product &product) {
        const int64_t words = (product.inputs + T::PER_WORD - 1) / T::PER_WORD;
        return words * PANEL * (int64_t)sizeof(uint32_t);
    }

    template <class T>
    static void multiply(const Task<T> &task, void *memory, int64_t first, int64_t wide,
                         int64_t start, int64_t stop, const void *next) {
        const int64_t inputs = task.inputs;
        auto *panel = (uint32_t *)memory;
        turn_panel<T>(task.weight + first * inputs, inputs, wide, panel);
        const int64_t tiles = (stop - start + DOWN - 1) / DOWN;
        Ahead ahead = {(const char *)next, 4 * PANEL / tiles};
        int64_t row = start;
        for (; row + DOWN <= stop; row += DOWN) {
            tile<T, DOWN>(task, panel, row, first, wide, ahead);
            ahead.from += ahead.pace * (inputs / T::PER_WORD);
        }
        rest<T>(task, panel, row, stop - row, first, wide, ahead);
    }
};

}  // namespace

Work product_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed) {
    return is_bf16 ? product_of<Panels, BF16>(product, threads, failed)
                   : product_of<Panels, F32>(product, threads, failed);
}

Work gated_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed) {
    return is_bf16 ? gated_of<Panels, BF16>(product, threads, failed)
                   : gated_of<Panels, F32>(product, threads, failed);
}

#endif
