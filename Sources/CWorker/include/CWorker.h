// The system calls of a sandbox launcher that Swift cannot make: what happens between fork and exec, and calls that
// Glibc's module does not show. Plain structs and integers in and out; a function that fails returns -errno.
#ifndef TALLY_CWORKER_H
#define TALLY_CWORKER_H
#include <stddef.h>
#include <stdint.h>

/// What the supervisor process is to do before it starts bubblewrap. Descriptors stay the caller's.
struct worker_start {
  int32_t standard_input, standard_output, standard_error;
  int32_t arguments;     // read end: bubblewrap's options, NUL separated (becomes descriptor 3)
  int32_t status;        // write end: bubblewrap's JSON status lines (becomes descriptor 4)
  int32_t gate;          // read end: one byte lets the job begin (becomes descriptor 5)
  int32_t filter;        // the seccomp program (becomes descriptor 6)
  int32_t result;        // write end: bubblewrap's wait status and its own size in KiB, 4 bytes each
  int32_t groups[4];     // cgroup.procs, open for writing; -1 = none
  uint32_t user, group;  // the kernel identity to take when `drop` is 1
  int32_t drop;
  int32_t idle;          // 1: SCHED_IDLE
  uint64_t processors[16];  // bit mask of up to 1024 processors; all zero = leave as it is
};

/// Forks a supervisor: it becomes subreaper and session leader, takes groups, processors and identity, starts `program`
/// with `argv` (NUL-separated bytes, `count` of them) and an empty environment, reaps until no descendant is left.
/// Returns its process id; `*pidfd` is set. The supervisor dies with the calling thread.
int32_t worker_spawn(const struct worker_start *start, const char *program, const uint8_t *argv, size_t count,
                     int32_t *pidfd);

/// What wait4 says: the exit status, and the usage of the process and all its waited-for descendants.
struct worker_usage {
  int32_t status;
  int64_t user_micros, system_micros, resident_max_kib;
};
/// Waits for `pid` to end. Retries EINTR.
int32_t worker_wait(int32_t pid, struct worker_usage *usage);

int32_t worker_pidfd_open(int32_t pid);
int32_t worker_pidfd_signal(int32_t pidfd, int32_t signal);

enum { WORKER_LIMIT_CPU, WORKER_LIMIT_FSIZE, WORKER_LIMIT_AS, WORKER_LIMIT_NPROC, WORKER_LIMIT_NOFILE,
       WORKER_LIMIT_CORE, WORKER_LIMIT_STACK, WORKER_LIMIT_MEMLOCK };
struct worker_limits {
  uint64_t soft[8], hard[8];  // by WORKER_LIMIT_…; UINT64_MAX for none
};
/// Sets all limits of another process; hard is never raised above what it has. With `user` other than 0 a child process
/// of that identity does it: root without CAP_SYS_RESOURCE (in containers) may not do it to another user's process.
int32_t worker_set_limits(int32_t pid, const struct worker_limits *limits, uint32_t user, uint32_t group);
/// The value of this process's soft limit, UINT64_MAX for none.
uint64_t worker_own_limit(int32_t kind);

struct worker_room {
  uint64_t size_bytes, used_bytes, files_used;
  int32_t is_tmpfs;
};
/// fstatfs: how full the file system of `descriptor` is.
int32_t worker_room_of(int32_t descriptor, struct worker_room *room);

struct worker_file {
  uint64_t device, inode, size_bytes;
  uint32_t mode, user, links;
};
/// fstatat without following a last symbolic link; an empty name means the descriptor itself.
int32_t worker_look(int32_t directory, const char *name, struct worker_file *file);
/// Like worker_look, but follows.
int32_t worker_look_through(const char *path, struct worker_file *file);

/// Opens a directory beneath `directory` one step down; never follows a symbolic link.
int32_t worker_open_directory(int32_t directory, const char *name);
/// Opens a directory by path, following links: for paths that the operator named.
int32_t worker_open_directory_path(const char *path);
/// Opens a regular file beneath `directory`; never follows, never blocks on a FIFO.
int32_t worker_open_file(int32_t directory, const char *name);
/// Opens a regular file by path (`write` = 0), or a control file for writing (`write` = 1).
int32_t worker_open_path(const char *path, int32_t write);
/// Creates a new regular file (O_EXCL, never follows) with `mode`.
int32_t worker_create_file(int32_t directory, const char *name, uint32_t mode);
/// Sets both times of an entry to `seconds` since 1970, without following.
int32_t worker_set_time(int32_t directory, const char *name, int64_t seconds);

/// The names in a directory, NUL separated, into `buffer`; returns the bytes used, -E2BIG when `room` is too small.
int64_t worker_names(int32_t directory, uint8_t *buffer, size_t room);

/// A pipe, both ends close-on-exec.
int32_t worker_pipe(int32_t *read_end, int32_t *write_end);
int32_t worker_set_nonblocking(int32_t descriptor);
/// Waits until a descriptor is readable or hung up; bit i of the result names descriptors[i]. At most 31.
int32_t worker_poll(const int32_t *descriptors, int32_t count, int32_t timeout_ms);
int64_t worker_now_micros(void);
void worker_pause_micros(int64_t micros);

/// An unnamed file in memory that holds `bytes`, at its beginning, close-on-exec.
int32_t worker_memory_file(const uint8_t *bytes, size_t count);
/// An unnamed file in `directory`, for reading and writing, close-on-exec: gone when it is closed.
int32_t worker_unnamed_file(const char *directory);
/// Goes back to the beginning of a file.
int32_t worker_rewind(int32_t descriptor);
/// The seccomp program of every job, as bubblewrap's --seccomp wants it; returns its size in bytes.
int64_t worker_filter(uint8_t *buffer, size_t room);
/// Runs argv (NUL-separated; the first is a path) with standard input and error at /dev/null and returns how many bytes
/// of its output are in `buffer`; -EIO when it did not exit 0.
int64_t worker_capture(const uint8_t *argv, size_t count, uint8_t *buffer, size_t room);

/// This is SHA-256 piece by piece (FIPS 180-4), over libcrypto.
struct worker_sha256 { uint64_t opaque[16]; };
void worker_sha256_begin(struct worker_sha256 *state);
void worker_sha256_add(struct worker_sha256 *state, const uint8_t *bytes, size_t count);
void worker_sha256_end(struct worker_sha256 *state, uint8_t *out);

/// Sets an extended attribute's presence: 1 when `path` has it, else 0.
int32_t worker_has_attribute(const char *path, const char *name);
/// Drops this whole process to user and group for good: no supplementary groups, no way back.
int32_t worker_become(uint32_t user, uint32_t group);
/// Processors this process may run on, as a bit mask; returns how many.
int32_t worker_processors(uint64_t *mask, int32_t words);
/// Kernel user id of a name, or -1.
int64_t worker_user_named(const char *name, uint32_t *group);
#endif
