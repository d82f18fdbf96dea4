// Between fork and exec only async-signal-safe calls are made: the caller has other threads.
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include "CWorker.h"
#include <dirent.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <fcntl.h>
#include <grp.h>
#include <openssl/sha.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define TMPFS_NUMBER 0x01021994
#define FIRST_FREE 7
_Static_assert(sizeof(SHA256_CTX) <= sizeof(struct worker_sha256), "the opaque state holds libcrypto's");

static void close_from(unsigned first) {
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  for (unsigned descriptor = first; descriptor < 4096; descriptor++) close((int)descriptor);
}

static void plain_signals(void) {
  struct sigaction plain;
  memset(&plain, 0, sizeof plain);
  plain.sa_handler = SIG_DFL;
  for (int number = 1; number < 65; number++) sigaction(number, &plain, NULL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

// Raw calls: glibc's wrappers signal every thread of a process that, after fork, has only this one.
static int take_identity(uint32_t user, uint32_t group) {
  if (syscall(SYS_setgroups, 0, NULL) != 0) return -1;
  if (syscall(SYS_setresgid, group, group, group) != 0) return -1;
  return (int)syscall(SYS_setresuid, user, user, user);
}

static void write_all(int descriptor, const void *bytes, size_t count) {
  const char *at = bytes;
  while (count > 0) {
    ssize_t done = write(descriptor, at, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return;
    at += done;
    count -= (size_t)done;
  }
}

static void say(const char *text) { write_all(2, text, strlen(text)); }

static void supervise(const struct worker_start *start, const char *program, char *const *argv, pid_t parent) {
  plain_signals();
  setsid();
  // Ours, whatever the operator's is: the job's files get the same modes on every host.
  umask(022);
  int32_t wanted[8] = {start->standard_input, start->standard_output, start->standard_error, start->arguments,
                       start->status,         start->gate,           start->filter,
                       start->result};
  // First above the numbers that they will take, so that none overwrites another.
  for (int index = 0; index < 8; index++) {
    wanted[index] = fcntl(wanted[index], F_DUPFD_CLOEXEC, 64);
    if (wanted[index] < 0) _exit(112);
  }
  int result = wanted[7];
  for (int index = 0; index < 7; index++)
    if (dup2(wanted[index], index) < 0) _exit(112);
  for (int index = 0; index < 4; index++) {
    if (start->groups[index] < 0) continue;
    if (write(start->groups[index], "0", 1) != 1) {
      say("tally: the control group does not let the job in\n");
      _exit(113);
    }
  }
  if (dup2(result, FIRST_FREE) < 0) _exit(112);
  result = FIRST_FREE;
  close_from(FIRST_FREE + 1);
  uint64_t any = 0;
  for (int index = 0; index < 16; index++) any |= start->processors[index];
  if (any != 0) sched_setaffinity(0, sizeof start->processors, (const cpu_set_t *)start->processors);
  if (start->idle) {
    struct sched_param none = {0};
    sched_setscheduler(0, SCHED_IDLE, &none);
  }
  prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (start->drop && take_identity(start->user, start->group) != 0) {
    say("tally: cannot give up root\n");
    _exit(114);
  }
  // After the change of identity, which clears it. A parent that died before this line is seen by getppid.
  prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (getppid() != parent) _exit(115);
  pid_t self = getpid();
  pid_t child = fork();
  if (child < 0) {
    say("tally: cannot fork\n");
    _exit(116);
  }
  if (child == 0) {
    close(result);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != self) _exit(115);
    char *const nothing[] = {NULL};
    execve(program, argv, nothing);
    say("tally: cannot start bubblewrap\n");
    _exit(117);
  }
  for (int descriptor = 0; descriptor < FIRST_FREE; descriptor++) close(descriptor);
  struct rusage own;
  getrusage(RUSAGE_SELF, &own);
  // The size that fork gave us: what our descendants' greatest size has to exceed to be their own.
  int32_t outcome[2] = {-1, (int32_t)own.ru_maxrss};
  for (;;) {
    int status = 0;
    pid_t ended = wait4(-1, &status, 0, NULL);
    if (ended == child) outcome[0] = status;
    if (ended < 0 && errno == ECHILD) break;
  }
  write_all(result, outcome, sizeof outcome);
  _exit(0);
}

int32_t worker_spawn(const struct worker_start *start, const char *program, const uint8_t *argv, size_t count,
                     int32_t *pidfd) {
  if (count == 0 || argv[count - 1] != 0) return -EINVAL;
  size_t words = 0;
  for (size_t index = 0; index < count; index++) words += argv[index] == 0;
  char **list = calloc(words + 1, sizeof *list);
  if (list == NULL) return -ENOMEM;
  const char *at = (const char *)argv;
  for (size_t index = 0; index < words; index++) {
    list[index] = (char *)at;
    at += strlen(at) + 1;
  }
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0) supervise(start, program, list, parent);
  int failure = errno;
  free(list);
  if (child < 0) return -failure;
  // Until we wait for it the number cannot be given to another process.
  *pidfd = worker_pidfd_open(child);
  return child;
}

int32_t worker_wait(int32_t pid, struct worker_usage *usage) {
  struct rusage used;
  int status = 0;
  while (wait4(pid, &status, 0, &used) < 0)
    if (errno != EINTR) return -errno;
  usage->status = status;
  usage->user_micros = (int64_t)used.ru_utime.tv_sec * 1000000 + used.ru_utime.tv_usec;
  usage->system_micros = (int64_t)used.ru_stime.tv_sec * 1000000 + used.ru_stime.tv_usec;
  usage->resident_max_kib = used.ru_maxrss;
  return 0;
}

int32_t worker_pidfd_open(int32_t pid) {
  long descriptor = syscall(SYS_pidfd_open, pid, 0);
  return descriptor < 0 ? -errno : (int32_t)descriptor;
}

int32_t worker_pidfd_signal(int32_t pidfd, int32_t signal) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}

static const int kinds[] = {RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_AS, RLIMIT_NPROC, RLIMIT_NOFILE, RLIMIT_CORE,
                            RLIMIT_STACK, RLIMIT_MEMLOCK};

static int32_t set_limits(int32_t pid, const struct worker_limits *limits) {
  for (int kind = 0; kind < 8; kind++) {
    struct rlimit had;
    if (prlimit(pid, kinds[kind], NULL, &had) != 0) return -errno;
    struct rlimit wanted = {.rlim_cur = limits->soft[kind], .rlim_max = limits->hard[kind]};
    if (wanted.rlim_max > had.rlim_max) wanted.rlim_max = had.rlim_max;
    if (wanted.rlim_cur > wanted.rlim_max) wanted.rlim_cur = wanted.rlim_max;
    if (prlimit(pid, kinds[kind], &wanted, NULL) != 0) return -errno;
  }
  return 0;
}

int32_t worker_set_limits(int32_t pid, const struct worker_limits *limits, uint32_t user, uint32_t group) {
  if (user == 0) return set_limits(pid, limits);
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    if (take_identity(user, group) != 0) _exit(EPERM);
    _exit(-set_limits(pid, limits));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

uint64_t worker_own_limit(int32_t kind) {
  struct rlimit has;
  if (getrlimit(kinds[kind], &has) != 0) return UINT64_MAX;
  return has.rlim_cur == RLIM_INFINITY ? UINT64_MAX : has.rlim_cur;
}

int32_t worker_room_of(int32_t descriptor, struct worker_room *room) {
  struct statfs found;
  if (fstatfs(descriptor, &found) != 0) return -errno;
  room->size_bytes = (uint64_t)found.f_blocks * (uint64_t)found.f_bsize;
  room->used_bytes = (uint64_t)(found.f_blocks - found.f_bfree) * (uint64_t)found.f_bsize;
  room->files_used = (uint64_t)(found.f_files - found.f_ffree);
  room->is_tmpfs = found.f_type == TMPFS_NUMBER;
  return 0;
}

static void copy_look(const struct stat *found, struct worker_file *file) {
  file->device = found->st_dev;
  file->inode = found->st_ino;
  file->size_bytes = (uint64_t)found->st_size;
  file->mode = found->st_mode;
  file->user = found->st_uid;
  file->links = (uint32_t)found->st_nlink;
}

int32_t worker_look(int32_t directory, const char *name, struct worker_file *file) {
  struct stat found;
  int flags = AT_SYMLINK_NOFOLLOW | (*name == 0 ? AT_EMPTY_PATH : 0);
  if (fstatat(directory, name, &found, flags) != 0) return -errno;
  copy_look(&found, file);
  return 0;
}

int32_t worker_look_through(const char *path, struct worker_file *file) {
  struct stat found;
  if (stat(path, &found) != 0) return -errno;
  copy_look(&found, file);
  return 0;
}

int32_t worker_open_directory(int32_t directory, const char *name) {
  int descriptor = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int32_t worker_open_directory_path(const char *path) {
  int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

// O_NONBLOCK so that a FIFO does not hang us; only a regular file is kept.
static int32_t only_regular(int descriptor) {
  if (descriptor < 0) return -errno;
  struct stat found;
  if (fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode)) return descriptor;
  close(descriptor);
  return -EINVAL;
}

int32_t worker_open_file(int32_t directory, const char *name) {
  return only_regular(openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

int32_t worker_open_path(const char *path, int32_t write) {
  if (!write) return only_regular(open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  int descriptor = open(path, O_WRONLY | O_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int32_t worker_create_file(int32_t directory, const char *name, uint32_t mode) {
  int descriptor = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (descriptor < 0) return -errno;
  if (fchmod(descriptor, (mode_t)mode) == 0) return descriptor;
  int failure = errno;
  close(descriptor);
  return -failure;
}

int32_t worker_set_time(int32_t directory, const char *name, int64_t seconds) {
  struct timespec both[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
  return utimensat(directory, name, both, AT_SYMLINK_NOFOLLOW) != 0 ? -errno : 0;
}

int64_t worker_names(int32_t directory, uint8_t *buffer, size_t room) {
  // A descriptor of its own, since closedir closes it and the offset is shared by duplicates.
  int own = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (own < 0) return -errno;
  DIR *stream = fdopendir(own);
  if (stream == NULL) {
    int failure = errno;
    close(own);
    return -failure;
  }
  size_t used = 0;
  int64_t answer = 0;
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(stream);
    if (entry == NULL) {
      answer = errno != 0 ? -errno : (int64_t)used;
      break;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    size_t count = strlen(entry->d_name) + 1;
    if (count > room - used) {
      answer = -E2BIG;
      break;
    }
    memcpy(buffer + used, entry->d_name, count);
    used += count;
  }
  closedir(stream);
  return answer;
}

int32_t worker_pipe(int32_t *read_end, int32_t *write_end) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  *read_end = ends[0];
  *write_end = ends[1];
  return 0;
}

int32_t worker_set_nonblocking(int32_t descriptor) {
  int flags = fcntl(descriptor, F_GETFL);
  if (flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) != 0) return -errno;
  return 0;
}

int32_t worker_poll(const int32_t *descriptors, int32_t count, int32_t timeout_ms) {
  struct pollfd entries[31];
  if (count > 31) return -EINVAL;
  for (int index = 0; index < count; index++) {
    entries[index].fd = descriptors[index];
    entries[index].events = POLLIN;
    entries[index].revents = 0;
  }
  int ready = poll(entries, (nfds_t)count, timeout_ms);
  if (ready < 0) return errno == EINTR ? 0 : -errno;
  int32_t bits = 0;
  for (int index = 0; index < count; index++)
    if (entries[index].revents != 0) bits |= 1 << index;
  return bits;
}

int64_t worker_now_micros(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void worker_pause_micros(int64_t micros) {
  struct timespec span = {.tv_sec = micros / 1000000, .tv_nsec = (micros % 1000000) * 1000};
  nanosleep(&span, NULL);
}

void worker_sha256_begin(struct worker_sha256 *state) { SHA256_Init((SHA256_CTX *)state->opaque); }
void worker_sha256_add(struct worker_sha256 *state, const uint8_t *bytes, size_t count) {
  SHA256_Update((SHA256_CTX *)state->opaque, bytes, count);
}
void worker_sha256_end(struct worker_sha256 *state, uint8_t *out) { SHA256_Final(out, (SHA256_CTX *)state->opaque); }

int32_t worker_has_attribute(const char *path, const char *name) { return getxattr(path, name, NULL, 0) >= 0; }

int32_t worker_become(uint32_t user, uint32_t group) {
  if (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 || setresuid(user, user, user) != 0)
    return -errno;
  // Setting an identity makes /proc/self root's; the worker reads its own and its jobs' entries there.
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  return setuid(0) == 0 ? -EPERM : 0;
}

int32_t worker_processors(uint64_t *mask, int32_t words) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return -errno;
  memset(mask, 0, (size_t)words * 8);
  size_t bytes = sizeof set < (size_t)words * 8 ? sizeof set : (size_t)words * 8;
  memcpy(mask, &set, bytes);
  return CPU_COUNT(&set);
}

int64_t worker_user_named(const char *name, uint32_t *group) {
  struct passwd entry, *found = NULL;
  char text[4096];
  if (getpwnam_r(name, &entry, text, sizeof text, &found) != 0 || found == NULL) return -1;
  *group = found->pw_gid;
  return found->pw_uid;
}

int32_t worker_memory_file(const uint8_t *bytes, size_t count) {
  int descriptor = memfd_create("tally", MFD_CLOEXEC);
  if (descriptor < 0) return -errno;
  write_all(descriptor, bytes, count);
  off_t size = lseek(descriptor, 0, SEEK_CUR);
  if (size == (off_t)count && lseek(descriptor, 0, SEEK_SET) == 0) return descriptor;
  close(descriptor);
  return -EIO;
}

int32_t worker_unnamed_file(const char *directory) {
  int descriptor = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor >= 0 || (errno != EOPNOTSUPP && errno != EISDIR)) return descriptor < 0 ? -errno : descriptor;
  char path[4096];
  if (snprintf(path, sizeof path, "%s/spool-XXXXXX", directory) >= (int)sizeof path) return -ENAMETOOLONG;
  descriptor = mkostemp(path, O_CLOEXEC);
  if (descriptor < 0) return -errno;
  unlink(path);
  return descriptor;
}

int32_t worker_rewind(int32_t descriptor) { return lseek(descriptor, 0, SEEK_SET) < 0 ? -errno : 0; }

#if defined(__x86_64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the seccomp program knows x86-64 and aarch64"
#endif
#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

// Memory that no rlimit counts (memfd, System V shared memory), and kernel interfaces that no job needs and that have
// let programs out before. They answer as if the kernel did not have them; programs know how to go on without.
static const unsigned absent[] = {
    SYS_memfd_create,   SYS_memfd_secret,    SYS_shmget,   SYS_keyctl,          SYS_add_key,
    SYS_request_key,    SYS_bpf,             SYS_userfaultfd, SYS_perf_event_open, SYS_io_uring_setup,
    SYS_io_uring_enter, SYS_io_uring_register,
};
#define ABSENT_COUNT (sizeof absent / sizeof *absent)

int64_t worker_filter(uint8_t *buffer, size_t room) {
  struct sock_filter program[8 + ABSENT_COUNT];
  size_t at = 0;
  program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
  program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCHITECTURE, 1, 0);
  program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
  program[at++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  // x32 numbers on x86-64: a second door to the same calls.
  program[at++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, ABSENT_COUNT + 1, 0);
  for (size_t index = 0; index < ABSENT_COUNT; index++)
    program[at++] =
        (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, absent[index], (uint8_t)(ABSENT_COUNT - index), 0);
  program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  program[at++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  size_t size = at * sizeof *program;
  if (size > room) return -E2BIG;
  memcpy(buffer, program, size);
  return (int64_t)size;
}

int64_t worker_capture(const uint8_t *argv, size_t count, uint8_t *buffer, size_t room) {
  char *list[65] = {NULL};
  size_t words = 0;
  for (size_t index = 0; index < count && words < 64; words++) {
    list[words] = (char *)argv + index;
    index += strlen(list[words]) + 1;
  }
  int ends[2];
  if (words == 0 || pipe2(ends, O_CLOEXEC) != 0) return -EINVAL;
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(ends[1], 1) < 0 || dup2(nothing, 2) < 0) _exit(112);
    plain_signals();
    execv(list[0], list);
    _exit(117);
  }
  int failure = errno;
  close(ends[1]);
  size_t used = 0;
  while (child > 0) {
    ssize_t got = used < room ? read(ends[0], buffer + used, room - used) : 0;
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    used += (size_t)got;
  }
  close(ends[0]);
  if (child < 0) return -failure;
  int status = 0;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -errno;
  return status == 0 ? (int64_t)used : -EIO;
}
