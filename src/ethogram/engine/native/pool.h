// Divides work among a small pool of threads, so that nobody waits for a thread that sleeps.
//
// A program is a list of works, done one after the other. Each is handed out in chunks, one at a
// time, to whichever thread asks; the thread that finishes the last chunk of a work opens the next
// work itself. So no thread has a part of its own: one that the system has not woken yet, or has
// taken off its core between two chunks, holds nobody up, the calling thread included. Waits spin
// for some microseconds and then sleep, so that another program gets the core.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

// body(start, stop) for chunks of [0, count), in any order and on any thread.
struct Work {
    int64_t count, chunk;
    std::function<void(int64_t start, int64_t stop)> body;
};

// Does all works, in order, on up to `threads` threads, the calling one included. Called while
// another thread's program is under way, it does everything itself. `seconds`: [number], how long
// each took, or null.
void run_works(int threads, const Work *works, int64_t number, double *seconds = nullptr);

// Memory of the calling thread, aligned to a cache line, at least `bytes` large and kept for its
// next use; null when there is none.
void *thread_memory(size_t bytes);

// body(start, stop) for chunks of [0, count).
template <class Body> void in_chunks(int threads, int64_t count, int64_t chunk, Body &&body) {
    if (count <= 0) return;
    if (threads <= 1 || count <= chunk) return body((int64_t)0, count);
    const Work work = {count, chunk, [&body](int64_t start, int64_t stop) { body(start, stop); }};
    run_works(threads, &work, 1);
}
