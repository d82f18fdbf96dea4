// Owns: what the benchmark needs of C: a minimal UDP echo to compare with, the load for both, a thread's CPU time, a
// network of its own, a child with a ready pipe. Refuses to know: Tally.
#ifndef TALLY_CBENCH_H
#define TALLY_CBENCH_H
#include <stdint.h>

enum { CBENCH_BATCH = 64 };

/// CPU microseconds (user and system) of the calling thread.
uint64_t cbench_thread_micros(void);
/// User and system CPU microseconds of the whole process.
uint64_t cbench_process_micros(void);

/// A UDP socket on a free port of 127.0.0.1 with `buffer_bytes` each way; its descriptor, or the negated errno.
int cbench_echo_open(int buffer_bytes);
int cbench_port(int descriptor);
/// Echoes on `descriptor` until `milliseconds` are over, with epoll_wait, recvmmsg and sendmmsg of 64 and nothing else.
typedef struct cbench_served {
  uint64_t datagrams;
  /// recvmmsg calls that gave any.
  uint64_t calls;
} cbench_served;
cbench_served cbench_echo_serve(int descriptor, int milliseconds);
void cbench_close(int descriptor);

/// Starts one thread that keeps up to `window` datagrams of `payload` bytes in flight to 127.0.0.1:`port`. 0, or a
/// negated errno. One load at a time.
int cbench_load_start(int port, int payload, int window);
/// Stops it; returns the datagrams that came back.
uint64_t cbench_load_stop(void);

/// Moves this process into a network namespace of its own with loopback up: 0, or a negated errno.
int cbench_private_network(void);
/// Starts `program` with `--data directory` and TALLY_READY_FD, standard output and error into `log`, and waits up to
/// 20 s for its ready line. `micros` is the time from before fork to the line; `pid` may be a negated errno.
typedef struct cbench_started {
  int pid;
  uint64_t micros;
} cbench_started;
cbench_started cbench_start(const char *program, const char *directory, const char *log);
/// SIGTERM, and SIGKILL after 5 s. 0 when it ended with exit code 0.
int cbench_stop(int pid);
int cbench_clock_ticks(void);
#endif
