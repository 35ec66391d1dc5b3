// Products of rows with a weight matrix where there is no AVX-512: out = x weight^T + bias.
//
// An element of the result is a dot product of two runs of memory: eight sums, one a lane, that run
// over the inputs in their order, and are added in a fixed tree. So the product is batch-invariant,
// and the same on any number of threads. Both operands are read as they lie in memory: with 16
// registers, transposing weights would cost more than adding lanes does. A tile of 3 rows x 4 outputs
// keeps 12 sums in registers.

#if !defined(__AVX512F__)

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "products.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace {

constexpr int LANES = 8, ACROSS = 4, DOWN = 3;
// Outputs of one item, a multiple of ACROSS: their weights stay in the second-level cache. Bytes of
// the rows that are multiplied with them at a time, and most inputs of a row at a time: these stay
// in the first-level cache.
constexpr int64_t PANEL = 32, ROW_BYTES = 12 << 10, INPUTS = 640;

using vec = float __attribute__((vector_size(4 * LANES)));
using loose_vec = float __attribute__((vector_size(4 * LANES), aligned(4)));
using words = uint32_t __attribute__((vector_size(4 * LANES)));
using loose_words = uint32_t __attribute__((vector_size(4 * LANES), aligned(2)));
using four = float __attribute__((vector_size(16)));

inline vec fused(vec a, vec b, vec sum) {
#if defined(__FMA__)
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#else
    return a * b + sum;
#endif
}

// Keeps the compiler from reading a value from memory again for each use: loads would be the limit.
inline void in_register([[maybe_unused]] vec &value) {
#if defined(__AVX2__)
    asm("" : "+x"(value));
#endif
}

// The lanes of each of four sums, added: neighbours, then pairs of neighbours, then halves.
inline four lanes_added(vec a, vec b, vec c, vec d) {
#if defined(__AVX2__)
    const __m256 ab = _mm256_hadd_ps((__m256)a, (__m256)b);
    const __m256 cd = _mm256_hadd_ps((__m256)c, (__m256)d);
    const __m256 all = _mm256_hadd_ps(ab, cd);
    return (four)_mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
#else
    const vec sums[4] = {a, b, c, d};
    four added;
    for (int i = 0; i < 4; i++) {
        const vec s = sums[i];
        added[i] = ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
    }
    return added;
#endif
}

// A block is what one register of memory holds. Rows are read as fp32 in PARTS registers a block.
struct F32 {
    using element = float;
    static constexpr int PARTS = 1, BLOCK = LANES;
    template <int PART> static vec part(const float *weight) { return *(const loose_vec *)weight; }
    static void spread(const float *x, float *to) { std::memcpy(to, x, sizeof(vec)); }
    static void store(float *to, four x) { std::memcpy(to, &x, sizeof x); }
    static float one(float x) { return x; }
};

// The first part of a block has its even elements, the second its odd ones.
struct BF16 {
    using element = uint16_t;
    static constexpr int PARTS = 2, BLOCK = 2 * LANES;
    template <int PART> static vec part(const uint16_t *weight) {
        const words both = *(const loose_words *)weight;
        return PART ? (vec)(both & 0xffff0000u) : (vec)(both << 16);
    }
    static void spread(const uint16_t *x, float *to) {
        const vec parts[2] = {part<0>(x), part<1>(x)};
        std::memcpy(to, parts, sizeof parts);
    }
    // Round to nearest, ties to even; a NaN stays one.
    static void store(uint16_t *to, four x) {
        for (int i = 0; i < 4; i++) {
            const float value = x[i];
            uint32_t word;
            std::memcpy(&word, &value, 4);
            const uint32_t rounded = (word + 0x7fff + ((word >> 16) & 1)) >> 16;
            to[i] = (uint16_t)(value == value ? rounded : (word >> 16) | 0x40);
        }
    }
    static float one(uint16_t x) {
        const uint32_t word = (uint32_t)x << 16;
        float value;
        std::memcpy(&value, &word, 4);
        return value;
    }
};

// Floats of a row that is spread for the parts of a block, the last block filled up with zeros.
template <class T> int64_t spread_size(int64_t inputs) {
    return (inputs + T::BLOCK - 1) / T::BLOCK * T::BLOCK;
}

template <class T>
void spread_rows(const Task<T> &task, int64_t start, int64_t stop, float *to) {
    const int64_t inputs = task.inputs, whole = inputs / T::BLOCK * T::BLOCK;
    for (int64_t row = start; row < stop; row++) {
        const auto *x = task.x + row * inputs;
        for (int64_t i = 0; i < whole; i += T::BLOCK, to += T::BLOCK) T::spread(x + i, to);
        if (whole < inputs) {
            typename T::element last[T::BLOCK] = {};
            std::memcpy(last, x + whole, (inputs - whole) * sizeof(*x));
            T::spread(last, to);
            to += T::BLOCK;
        }
    }
}

// A part of the inputs, and the sums over the parts before it.
struct Part {
    int64_t start, stop;
    vec *sums;
};

// Rows x outputs over a part of the inputs. With AHEAD, what is read next lies `ahead` weights on.
template <class T, int HIGH, int WIDE, bool AHEAD>
void tile(const Task<T> &task, const float *rows, int64_t row, int64_t first, int64_t ahead,
          const Part &part) {
    const int64_t inputs = task.inputs, size = spread_size<T>(inputs);
    const int64_t whole = std::min(part.stop, inputs / T::BLOCK * T::BLOCK);
    const auto *weight = task.weight + first * inputs;
    vec sum[HIGH][ACROSS] = {};
    if (part.start) std::memcpy(sum, part.sums, sizeof sum);
    const auto add = [&](const float *x, auto weights, auto part) {
        constexpr int PART = decltype(part)::value;
        vec a[HIGH];
#pragma GCC unroll 16
        for (int r = 0; r < HIGH; r++) {
            a[r] = *(const loose_vec *)(x + r * size + PART * LANES);
            in_register(a[r]);
        }
#pragma GCC unroll 16
        for (int c = 0; c < WIDE; c++) {
            vec b = T::template part<PART>(weights(c));
            in_register(b);
#pragma GCC unroll 16
            for (int r = 0; r < HIGH; r++) sum[r][c] = fused(a[r], b, sum[r][c]);
        }
    };
    const auto block = [&](const float *x, auto weights) {
        add(x, weights, std::integral_constant<int, 0>{});
        if constexpr (T::PARTS == 2) add(x, weights, std::integral_constant<int, 1>{});
    };
    for (int64_t i = part.start; i < whole; i += T::BLOCK) {
        if constexpr (AHEAD)
#pragma GCC unroll 16
            for (int c = 0; c < WIDE; c++) __builtin_prefetch(weight + c * inputs + i + ahead, 0, 3);
        block(rows + i, [&](int c) { return weight + c * inputs + i; });
    }
    if (part.stop < inputs) {
        std::memcpy(part.sums, sum, sizeof sum);
        return;
    }
    if (whole < inputs) {
        typename T::element last[WIDE][T::BLOCK] = {};
        for (int c = 0; c < WIDE; c++)
            std::memcpy(last[c], weight + c * inputs + whole, (inputs - whole) * sizeof(*weight));
        block(rows + whole, [&](int c) { return last[c]; });
    }
    four bias = {};
    if (task.bias)
        for (int c = 0; c < WIDE; c++) bias[c] = T::one(task.bias[first + c]);
#pragma GCC unroll 16
    for (int r = 0; r < HIGH; r++) {
        const four made = lanes_added(sum[r][0], sum[r][1], sum[r][2], sum[r][3]) + bias;
        auto *to = task.out + (row + r) * task.out_stride + first;
        if constexpr (WIDE == ACROSS) {
            T::store(to, made);
        } else {
            typename T::element rounded[4];
            T::store(rounded, made);
            std::memcpy(to, rounded, WIDE * sizeof *to);
        }
    }
}

// All rows [start, stop) with WIDE outputs; the first tile also fetches the weights after them.
template <class T, int WIDE>
void column(const Task<T> &task, const float *rows, int64_t start, int64_t stop, int64_t first,
            Part part) {
    const int64_t size = spread_size<T>(task.inputs), ahead = WIDE * task.inputs;
    int64_t row = start;
    const auto next = [&](int64_t high) {
        row += high, rows += high * size, part.sums += DOWN * ACROSS;
    };
    if (stop - row >= DOWN) {
        tile<T, DOWN, WIDE, true>(task, rows, row, first, ahead, part);
        for (next(DOWN); row + DOWN <= stop; next(DOWN))
            tile<T, DOWN, WIDE, false>(task, rows, row, first, 0, part);
    }
    if (stop - row == 2) tile<T, 2, WIDE, true>(task, rows, row, first, ahead, part);
    if (stop - row == 1) tile<T, 1, WIDE, true>(task, rows, row, first, ahead, part);
}

// Inputs of a part: all, or shares of about one size.
template <class T> int64_t inputs_together(int64_t inputs) {
    const int64_t parts = (inputs + INPUTS - 1) / INPUTS;
    return (inputs + parts * T::BLOCK - 1) / (parts * T::BLOCK) * T::BLOCK;
}

// Rows that are multiplied with one panel before the next ones.
template <class T> int64_t rows_together(int64_t inputs) {
    const int64_t fit = ROW_BYTES / (4 * inputs_together<T>(inputs)) / DOWN * DOWN;
    return fit > DOWN ? fit : DOWN;
}

// The rows as the tiles read them: where they lie, or spread in `memory`.
template <class T>
const float *readable(const Task<T> &task, int64_t start, int64_t stop, float *memory) {
    if constexpr (T::PARTS == 1)
        if (task.inputs % T::BLOCK == 0) return task.x + start * task.inputs;
    spread_rows<T>(task, start, stop, memory);
    return memory;
}

// Sums of a block of rows with a panel, kept between two parts of the inputs.
template <class T> int64_t sums_of(int64_t inputs) {
    return rows_together<T>(inputs) / DOWN * (PANEL / ACROSS) * DOWN * ACROSS;
}

// Rows [start, stop) with `wide` outputs from `first`, over a part of the inputs.
template <class T>
void multiply_part(const Task<T> &task, const float *rows, int64_t start, int64_t stop,
                   int64_t first, int64_t wide, Part part) {
    const int64_t next = rows_together<T>(task.inputs) * ACROSS;
    int64_t at = 0;
    for (; at + ACROSS <= wide; at += ACROSS, part.sums += next)
        column<T, ACROSS>(task, rows, start, stop, first + at, part);
    if (wide - at == 3) column<T, 3>(task, rows, start, stop, first + at, part);
    if (wide - at == 2) column<T, 2>(task, rows, start, stop, first + at, part);
    if (wide - at == 1) column<T, 1>(task, rows, start, stop, first + at, part);
}

struct Dots {
    static constexpr int64_t PANEL = ::PANEL, DOWN = ::DOWN;

    template <class T> static int64_t bytes(const Product &product) {
        const int64_t rows = std::min(rows_together<T>(product.inputs), product.rows);
        return sums_of<T>(product.inputs) * (int64_t)sizeof(vec) +
               rows * spread_size<T>(product.inputs) * (int64_t)sizeof(float);
    }

    template <class T>
    static void multiply(const Task<T> &task, void *memory, int64_t first, int64_t wide,
                         int64_t start, int64_t stop, const void *) {
        const int64_t inputs = task.inputs, high = rows_together<T>(inputs);
        const int64_t deep = inputs_together<T>(inputs);
        auto *sums = (vec *)memory;
        auto *spread = (float *)(sums + sums_of<T>(inputs));
        for (int64_t begin = start; begin < stop; begin += high) {
            const int64_t end = std::min(begin + high, stop);
            const float *rows = readable<T>(task, begin, end, spread);
            for (int64_t from = 0; from < inputs; from += deep)
                multiply_part<T>(task, rows, begin, end, first, wide,
                                 {from, std::min(from + deep, inputs), sums});
        }
    }
};

}  // namespace

Work product_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed) {
    return is_bf16 ? product_of<Dots, BF16>(product, threads, failed)
                   : product_of<Dots, F32>(product, threads, failed);
}

Work gated_work(bool is_bf16, const Product &product, int threads, std::atomic<int> *failed) {
    return is_bf16 ? gated_of<Dots, BF16>(product, threads, failed)
                   : gated_of<Dots, F32>(product, threads, failed);
}

#endif
