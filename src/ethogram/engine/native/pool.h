// Divides work among a small pool of threads, so that nobody waits for a thread that sleeps.
//
// The calling thread takes part. Chunks are handed out one at a time, and at the end the caller
// waits only for threads that are inside a chunk: one that the system has not woken yet, or has
// taken off its core between two chunks, holds nobody up. Waits spin for some microseconds and
// then sleep, so that another program gets the core.

#pragma once

#include <cstddef>
#include <cstdint>

// Calls run(data, start, stop) until chunks of [0, count) are all done, on up to `threads` threads.
// Called while another thread's call is under way, it does all of the work itself.
void run_chunks(int threads, int64_t count, int64_t chunk,
                void (*run)(void *data, int64_t start, int64_t stop), void *data);

// Memory of the calling thread, aligned to a cache line, at least `bytes` large and kept for its
// next use; null when there is none.
void *thread_memory(size_t bytes);

// body(start, stop) for chunks of [0, count).
template <class Body> void in_chunks(int threads, int64_t count, int64_t chunk, Body &&body) {
    if (threads <= 1 || count <= chunk) {
        if (count > 0) body((int64_t)0, count);
        return;
    }
    run_chunks(
        threads, count, chunk,
        [](void *data, int64_t start, int64_t stop) { (*(Body *)data)(start, stop); }, &body);
}
