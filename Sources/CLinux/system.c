// Owns: files, signals, clocks, chance, processes and threads.
#define _GNU_SOURCE
#include "clinux.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

// ---- files -----------------------------------------------------------------------------------------------------

int clinux_path_kind(const char *path) {
  struct stat info;
  if (lstat(path, &info) < 0) return errno == ENOENT ? CLINUX_ABSENT : -errno;
  switch (info.st_mode & S_IFMT) {
  case S_IFSOCK: return CLINUX_IS_SOCKET;
  case S_IFREG: return CLINUX_IS_FILE;
  case S_IFDIR: return CLINUX_IS_DIRECTORY;
  default: return CLINUX_IS_OTHER;
  }
}

int clinux_file_identity(const char *path, clinux_file_id *into) {
  struct stat info;
  *into = (clinux_file_id){0, 0};
  if (lstat(path, &info) < 0) return errno == ENOENT ? 0 : -errno;
  *into = (clinux_file_id){info.st_dev, info.st_ino};
  return 0;
}

int clinux_lock_file(const char *path) {
  int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) return -errno;
  struct stat opened, named;
  int code = 0;
  if (flock(descriptor, LOCK_EX | LOCK_NB) < 0) code = -errno;
  // The last holder may have unlinked the file after we opened it: then we locked a file nobody else will find.
  else if (fstat(descriptor, &opened) < 0) code = -errno;
  else if (stat(path, &named) < 0) code = errno == ENOENT ? -ESTALE : -errno;
  else if (opened.st_dev != named.st_dev || opened.st_ino != named.st_ino) code = -ESTALE;
  if (code == 0) return descriptor;
  close(descriptor);
  return code;
}

int clinux_unlink(const char *path) { return result(unlink(path)); }
int clinux_chmod(const char *path, uint32_t mode) { return result(chmod(path, mode)); }
int clinux_chown_group(const char *path, uint32_t group) { return result(lchown(path, (uid_t)-1, group)); }

int clinux_mode_of(const char *path, uint32_t *mode) {
  struct stat info;
  if (lstat(path, &info) < 0) return -errno;
  *mode = info.st_mode & 07777;
  return 0;
}

int64_t clinux_group_id(const char *name) {
  FILE *file = fopen("/etc/group", "re");
  if (!file) return -errno;
  char *line = NULL;
  size_t capacity = 0, length = strlen(name);
  int64_t found = -ENOENT;
  while (found < 0 && getline(&line, &capacity, file) > 0) {
    if (strncmp(line, name, length) != 0 || line[length] != ':') continue;
    char *number = strchr(line + length + 1, ':');
    if (number) found = strtol(number + 1, NULL, 10);
  }
  free(line);
  fclose(file);
  return found;
}

int clinux_open_null(void) { return result(open("/dev/null", O_RDONLY | O_CLOEXEC)); }
int clinux_close(int descriptor) { return result(close(descriptor)); }

int clinux_set_close_on_exec(int descriptor, int on) {
  return result(fcntl(descriptor, F_SETFD, on ? FD_CLOEXEC : 0));
}

int clinux_pipe(int *reading, int *writing) {
  int pair[2];
  if (pipe2(pair, O_CLOEXEC) < 0) return -errno;
  *reading = pair[0];
  *writing = pair[1];
  return 0;
}

// ---- signals, events, clocks, chance ---------------------------------------------------------------------------

int clinux_signal_descriptor(const int *signals, int count) {
  sigset_t set;
  sigemptyset(&set);
  for (int index = 0; index < count; index++)
    if (sigaddset(&set, signals[index]) < 0) return -errno;
  int code = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (code != 0) return -code;
  return result(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int clinux_next_signal(int descriptor) {
  struct signalfd_siginfo info;
  ssize_t count = read(descriptor, &info, sizeof info);
  if (count < 0) return -errno;
  return count == sizeof info ? (int)info.ssi_signo : -EAGAIN;
}

int clinux_ignore_sigpipe(void) {
  struct sigaction action = {.sa_handler = SIG_IGN};
  return result(sigaction(SIGPIPE, &action, NULL));
}

int clinux_event_descriptor(void) { return result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

int clinux_event_poke(int descriptor) {
  uint64_t one = 1;
  return write(descriptor, &one, sizeof one) < 0 ? -errno : 0;
}

int clinux_event_drain(int descriptor) {
  uint64_t count;
  return read(descriptor, &count, sizeof count) < 0 ? -errno : 0;
}

static int64_t clock_micros(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clinux_boot_micros(void) { return clock_micros(CLOCK_BOOTTIME); }
int64_t clinux_monotonic_micros(void) { return clock_micros(CLOCK_MONOTONIC); }

int64_t clinux_wall_millis(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clinux_random(uint8_t *into, size_t count) {
  ssize_t given = getrandom(into, count, 0);
  return given < 0 ? -errno : given;
}

// ---- processes -------------------------------------------------------------------------------------------------

/// A null-terminated table of pointers into `strings`; null when memory is short.
static char **split(const char *strings, int count) {
  char **table = calloc((size_t)count + 1, sizeof *table);
  for (int index = 0; table && index < count; index++) {
    table[index] = (char *)strings;
    strings += strlen(strings) + 1;
  }
  return table;
}

/// Inherited descriptors are first copied above every target, so that one mapping never overwrites another's source.
static int map_descriptors(
  posix_spawn_file_actions_t *actions, const clinux_inherit *inherited, int count, int *copies) {
  int highest = 2;
  for (int index = 0; index < count; index++)
    if (inherited[index].child > highest) highest = inherited[index].child;
  for (int index = 0; index < count; index++) {
    copies[index] = fcntl(inherited[index].parent, F_DUPFD_CLOEXEC, highest + 1);
    if (copies[index] < 0) return errno;
    int code = posix_spawn_file_actions_adddup2(actions, copies[index], inherited[index].child);
    if (code != 0) return code;
  }
  return posix_spawn_file_actions_addclosefrom_np(actions, highest + 1);
}

static int set_attributes(posix_spawnattr_t *attributes, int new_session) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (new_session ? POSIX_SPAWN_SETSID : 0);
  int code = posix_spawnattr_setsigmask(attributes, &none);
  if (code == 0) code = posix_spawnattr_setsigdefault(attributes, &all);
  if (code == 0) code = posix_spawnattr_setflags(attributes, flags);
  return code;
}

int clinux_spawn(
  const char *path, const char *arguments, int argument_count, const char *environment, int environment_count,
  const clinux_inherit *inherited, int inherited_count, const char *directory, int new_session) {
  enum { INHERIT_MAX = 16 };
  int copies[INHERIT_MAX];
  if (inherited_count > INHERIT_MAX) return -EINVAL;
  for (int index = 0; index < INHERIT_MAX; index++) copies[index] = -1;
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  char **words = split(arguments, argument_count), **variables = split(environment, environment_count);
  pid_t pid = 0;
  int code = words && variables ? 0 : ENOMEM;
  if (code == 0) code = map_descriptors(&actions, inherited, inherited_count, copies);
  if (code == 0 && directory) code = posix_spawn_file_actions_addchdir_np(&actions, directory);
  if (code == 0) code = set_attributes(&attributes, new_session);
  if (code == 0) code = posix_spawn(&pid, path, &actions, &attributes, words, variables);
  for (int index = 0; index < inherited_count; index++)
    if (copies[index] >= 0) close(copies[index]);
  free(words);
  free(variables);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  return code != 0 ? -code : pid;
}

static int64_t micros(struct timeval value) { return (int64_t)value.tv_sec * 1000000 + value.tv_usec; }

int clinux_reap(int pid, int no_wait, clinux_exit *into) {
  int status = 0;
  struct rusage usage;
  pid_t reaped = wait4(pid, &status, no_wait ? WNOHANG : 0, &usage);
  if (reaped < 0) return -errno;
  if (reaped == 0) return 0;
  into->pid = reaped;
  into->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  into->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  into->user_micros = micros(usage.ru_utime);
  into->system_micros = micros(usage.ru_stime);
  into->resident_kib_max = usage.ru_maxrss;
  return 1;
}

int clinux_pidfd_open(int pid) { return result((int)syscall(SYS_pidfd_open, pid, 0)); }
int clinux_pidfd_signal(int pidfd, int signal) {
  return result((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}
int clinux_kill(int pid, int signal) { return result(kill(pid, signal)); }
int clinux_become_subreaper(void) { return result(prctl(PR_SET_CHILD_SUBREAPER, 1)); }
int clinux_die_with_parent(int signal) { return result(prctl(PR_SET_PDEATHSIG, signal)); }

static int limit_number(int limit) {
  switch (limit) {
  case CLINUX_LIMIT_CPU_SECONDS: return RLIMIT_CPU;
  case CLINUX_LIMIT_FILE_BYTES: return RLIMIT_FSIZE;
  case CLINUX_LIMIT_ADDRESS_BYTES: return RLIMIT_AS;
  case CLINUX_LIMIT_OPEN_FILES: return RLIMIT_NOFILE;
  case CLINUX_LIMIT_PROCESSES: return RLIMIT_NPROC;
  case CLINUX_LIMIT_CORE_BYTES: return RLIMIT_CORE;
  case CLINUX_LIMIT_STACK_BYTES: return RLIMIT_STACK;
  default: return -1;
  }
}

int clinux_set_limit(int pid, int limit, uint64_t soft, uint64_t hard) {
  int number = limit_number(limit);
  if (number < 0) return -EINVAL;
  struct rlimit value = {.rlim_cur = soft, .rlim_max = hard};
  return result(prlimit(pid, number, &value, NULL));
}

int clinux_get_limit(int pid, int limit, uint64_t *soft, uint64_t *hard) {
  int number = limit_number(limit);
  if (number < 0) return -EINVAL;
  struct rlimit value;
  if (prlimit(pid, number, NULL, &value) < 0) return -errno;
  *soft = value.rlim_cur;
  *hard = value.rlim_max;
  return 0;
}

// ---- threads ---------------------------------------------------------------------------------------------------

int clinux_thread_start(uint64_t *thread, void *(*body)(void *), void *context) {
  _Static_assert(sizeof(pthread_t) == sizeof(uint64_t), "pthread_t");
  sigset_t all, before;
  sigfillset(&all);
  int code = pthread_sigmask(SIG_SETMASK, &all, &before);
  if (code != 0) return -code;
  pthread_t made;
  code = pthread_create(&made, NULL, body, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (code != 0) return -code;
  *thread = (uint64_t)made;
  return 0;
}

int clinux_thread_name(const char *name) { return result(prctl(PR_SET_NAME, name)); }
int clinux_thread_join(uint64_t thread) { return -pthread_join((pthread_t)thread, NULL); }
int clinux_thread_detach(uint64_t thread) { return -pthread_detach((pthread_t)thread); }

// ---- names of errors -------------------------------------------------------------------------------------------

const char *clinux_error_name(int code) {
  const char *name = strerrorname_np(code);
  return name ? name : "errno";
}

int clinux_error_text(int code, char *into, size_t capacity) {
  if (capacity == 0) return -EINVAL;
  const char *text = strerror_r(code, into, capacity);
  if (text != into) snprintf(into, capacity, "%s", text);
  return (int)strlen(into);
}

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

static uint64_t big_endian(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8; i++) value = value << 8 | bytes[i];
  return value;
}

int clinux_local_addresses(clinux_endpoint *into, int capacity) {
  struct ifaddrs *list;
  if (getifaddrs(&list) < 0) return -errno;
  int count = 0;
  for (struct ifaddrs *entry = list; entry && count < capacity; entry = entry->ifa_next) {
    if (!entry->ifa_addr || !(entry->ifa_flags & IFF_UP)) continue;
    if (entry->ifa_addr->sa_family == AF_INET) {
      struct sockaddr_in address;
      memcpy(&address, entry->ifa_addr, sizeof address);
      into[count++] = (clinux_endpoint){.high = 0, .low = 0xffff00000000ull | ntohl(address.sin_addr.s_addr), .port = 0};
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
      struct sockaddr_in6 address;
      memcpy(&address, entry->ifa_addr, sizeof address);
      if (IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr)) continue;
      into[count++] = (clinux_endpoint){
          .high = big_endian(address.sin6_addr.s6_addr), .low = big_endian(address.sin6_addr.s6_addr + 8), .port = 0};
    }
  }
  freeifaddrs(list);
  return count;
}
