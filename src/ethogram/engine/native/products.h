// How a product is divided into a work of the pool, for either of its kernels (`panels.cpp`,
// `dots.cpp`).
//
// A kernel K has `PANEL`, the outputs of an item; `DOWN`, the rows of a tile; `K::bytes<T>(product)`,
// the memory that a thread needs; and `K::multiply<T>(task, memory, first, wide, start, stop, next)`,
// which multiplies rows [start, stop) with `wide` outputs from `first`, where `next` is the weight
// that is read after them. T is the type of number: `T::element` is what memory holds.

#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "works.h"

namespace {

template <class T> struct Task {
    using element = typename T::element;
    const element *x, *weight, *bias;
    element *out;
    int64_t inputs, outputs, out_stride;
};

template <class T> Task<T> task_of(const Product &p) {
    using element = typename T::element;
    return {(const element *)p.x, (const element *)p.weight, (const element *)p.bias,
            (element *)p.out,     p.inputs,                  p.outputs,
            p.out_stride};
}

// How a product is cut into items: panels of outputs times shares of the rows.
struct Cut {
    int64_t panels, high, items, together;
};

template <class K> Cut cut_of(int64_t rows, int64_t panels, int threads) {
    constexpr int64_t DOWN = K::DOWN;
    // Few panels for many threads: each is read more than once, for a share of the rows.
    int64_t shares = (4 * threads + panels - 1) / panels;
    const int64_t most = rows / (4 * DOWN) > 1 ? rows / (4 * DOWN) : 1;
    if (shares > most) shares = most;
    const int64_t high = ((rows + shares - 1) / shares + DOWN - 1) / DOWN * DOWN;
    // Few rows wait for memory, which is read best in long runs.
    const int64_t runs = rows <= DOWN ? threads : 8 * threads;
    return {panels, high, panels * shares, (panels * shares + runs - 1) / runs};
}

template <class K, class T>
Work product_of(const Product &product, int threads, std::atomic<int> *failed) {
    constexpr int64_t PANEL = K::PANEL;
    const Cut cut = cut_of<K>(product.rows, (product.outputs + PANEL - 1) / PANEL, threads);
    return {cut.items, cut.together, [=](int64_t begin, int64_t end) {
        const Task<T> task = task_of<T>(product);
        void *memory = thread_memory(K::template bytes<T>(product));
        if (!memory) {
            *failed = 1;
            return;
        }
        for (int64_t item = begin; item < end; item++) {
            const int64_t first = item % cut.panels * PANEL, start = item / cut.panels * cut.high;
            const int64_t stop = std::min(start + cut.high, product.rows);
            if (start < stop)
                K::template multiply<T>(task, memory, first, std::min(product.outputs - first, PANEL),
                                        start, stop, task.weight + (first + PANEL) * product.inputs);
        }
    }};
}

// A panel of gates and the panel of the same columns of the other half, kept in the caches.
template <class K, class T>
Work gated_of(const Product &product, int threads, std::atomic<int> *failed) {
    using element = typename T::element;
    constexpr int64_t PANEL = K::PANEL;
    const int64_t width = product.outputs / 2;
    const Cut cut = cut_of<K>(product.rows, (width + PANEL - 1) / PANEL, threads);
    return {cut.items, cut.together, [=](int64_t begin, int64_t end) {
        const int64_t own = K::template bytes<T>(product);
        const int64_t side = cut.high * PANEL * (int64_t)sizeof(element);
        auto *memory = (char *)thread_memory(own + 2 * side);
        if (!memory) {
            *failed = 1;
            return;
        }
        auto *gate = (element *)(memory + own), *up = (element *)(memory + own + side);
        for (int64_t item = begin; item < end; item++) {
            const int64_t first = item % cut.panels * PANEL, start = item / cut.panels * cut.high;
            const int64_t stop = std::min(start + cut.high, product.rows);
            const int64_t wide = std::min(width - first, PANEL);
            if (start >= stop) continue;
            Task<T> task = task_of<T>(product);
            task.out_stride = PANEL;
            // A tile writes at row * PANEL + its first output: both sides begin at 0.
            task.out = gate - start * PANEL - first;
            const auto *weight = task.weight;
            K::template multiply<T>(task, memory, first, wide, start, stop,
                                    weight + (width + first) * product.inputs);
            task.out = up - start * PANEL - (width + first);
            K::template multiply<T>(task, memory, width + first, wide, start, stop,
                                    weight + (first + PANEL) * product.inputs);
            for (int64_t row = start; row < stop; row++)
                activate_one(sizeof(element) == 2, gate + (row - start) * PANEL,
                             up + (row - start) * PANEL,
                             (element *)product.out + row * product.out_stride + first, wide);
        }
    }};
}

}  // namespace
