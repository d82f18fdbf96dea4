#define _GNU_SOURCE
#include "cbench.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLOT = 1280 };

static uint64_t clock_micros(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
}

uint64_t cbench_thread_micros(void) { return clock_micros(CLOCK_THREAD_CPUTIME_ID); }
uint64_t cbench_process_micros(void) { return clock_micros(CLOCK_PROCESS_CPUTIME_ID); }

int cbench_echo_open(int buffer_bytes) {
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &buffer_bytes, sizeof buffer_bytes);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(descriptor, (struct sockaddr *)&at, sizeof at) < 0) {
    int code = errno;
    close(descriptor);
    return -code;
  }
  return descriptor;
}

int cbench_port(int descriptor) {
  struct sockaddr_in at = {0};
  socklen_t size = sizeof at;
  if (getsockname(descriptor, (struct sockaddr *)&at, &size) < 0) return -errno;
  return ntohs(at.sin_port);
}

void cbench_close(int descriptor) { close(descriptor); }

typedef struct batch {
  struct mmsghdr headers[CBENCH_BATCH];
  struct iovec parts[CBENCH_BATCH];
  struct sockaddr_in remotes[CBENCH_BATCH];
  uint8_t slab[CBENCH_BATCH * SLOT];
} batch;

static void prepare(batch *b, int size) {
  for (int i = 0; i < CBENCH_BATCH; i++) {
    b->parts[i] = (struct iovec){b->slab + i * SLOT, (size_t)size};
    b->headers[i].msg_hdr = (struct msghdr){
      .msg_name = &b->remotes[i], .msg_namelen = sizeof b->remotes[i], .msg_iov = &b->parts[i], .msg_iovlen = 1};
  }
}

cbench_served cbench_echo_serve(int descriptor, int milliseconds) {
  cbench_served served = {0, 0};
  batch *b = calloc(1, sizeof *b);
  if (!b) return served;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
  uint64_t end = clock_micros(CLOCK_MONOTONIC) + (uint64_t)milliseconds * 1000;
  while (clock_micros(CLOCK_MONOTONIC) < end) {
    if (epoll_wait(epoll, &event, 1, 20) <= 0) continue;
    for (int round = 0; round < 4; round++) {
      prepare(b, SLOT);
      int count = recvmmsg(descriptor, b->headers, CBENCH_BATCH, 0, 0);
      if (count <= 0) break;
      served.calls += 1;
      for (int i = 0; i < count; i++) b->parts[i].iov_len = b->headers[i].msg_len;
      for (int sent = 0; sent < count;) {
        int more = sendmmsg(descriptor, b->headers + sent, (unsigned)(count - sent), 0);
        if (more <= 0) break;
        sent += more;
      }
      served.datagrams += (uint64_t)count;
      if (count < CBENCH_BATCH) break;
    }
  }
  close(epoll);
  free(b);
  return served;
}

static pthread_t load_thread;
static atomic_int load_running;
static int load_descriptor, load_payload, load_window;
static uint64_t load_returned;

static void *load(void *unused) {
  (void)unused;
  batch *b = calloc(1, sizeof *b);
  int flying = 0;
  struct pollfd row = {.fd = load_descriptor, .events = POLLIN};
  while (b && atomic_load_explicit(&load_running, memory_order_relaxed)) {
    while (flying < load_window) {
      int want = load_window - flying < CBENCH_BATCH ? load_window - flying : CBENCH_BATCH;
      prepare(b, load_payload);
      for (int i = 0; i < want; i++) b->headers[i].msg_hdr.msg_namelen = 0;
      int sent = sendmmsg(load_descriptor, b->headers, (unsigned)want, 0);
      if (sent <= 0) break;
      flying += sent;
    }
    // What was lost is never waited for: after 2 ms of silence the window opens anew.
    if (poll(&row, 1, 2) == 0) flying = 0;
    for (;;) {
      prepare(b, SLOT);
      int count = recvmmsg(load_descriptor, b->headers, CBENCH_BATCH, 0, 0);
      if (count <= 0) break;
      load_returned += (uint64_t)count;
      flying = flying > count ? flying - count : 0;
      if (count < CBENCH_BATCH) break;
    }
  }
  free(b);
  return 0;
}

int cbench_load_start(int port, int payload, int window) {
  if (payload > SLOT) return -EMSGSIZE;
  load_descriptor = cbench_echo_open(1 << 20);
  if (load_descriptor < 0) return load_descriptor;
  struct sockaddr_in to = {
    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
  if (connect(load_descriptor, (struct sockaddr *)&to, sizeof to) < 0) return -errno;
  load_payload = payload;
  load_window = window;
  load_returned = 0;
  atomic_store(&load_running, 1);
  return -pthread_create(&load_thread, 0, load, 0);
}

uint64_t cbench_load_stop(void) {
  atomic_store(&load_running, 0);
  pthread_join(load_thread, 0);
  close(load_descriptor);
  return load_returned;
}

int cbench_private_network(void) {
  if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) return -errno;
  int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  struct ifreq request = {.ifr_name = "lo"};
  int status = ioctl(descriptor, SIOCGIFFLAGS, &request);
  request.ifr_flags |= IFF_UP;
  if (status == 0) status = ioctl(descriptor, SIOCSIFFLAGS, &request);
  int code = errno;
  close(descriptor);
  return status < 0 ? -code : 0;
}

cbench_started cbench_start(const char *program, const char *directory, const char *log) {
  cbench_started started = {0, 0};
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) {
    started.pid = -errno;
    return started;
  }
  uint64_t start = clock_micros(CLOCK_MONOTONIC);
  pid_t pid = fork();
  if (pid < 0) {
    started.pid = -errno;
    close(ends[0]);
    close(ends[1]);
    return started;
  }
  if (pid == 0) {
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(file, 1);
    dup2(file, 2);
    if (dup2(ends[1], 9) != 9) _exit(126);
    setenv("TALLY_READY_FD", "9", 1);
    execl(program, program, "--data", directory, (char *)0);
    _exit(127);
  }
  close(ends[1]);
  struct pollfd row = {.fd = ends[0], .events = POLLIN};
  char text[64];
  int ready = poll(&row, 1, 20000) == 1 && read(ends[0], text, sizeof text) > 0;
  started.micros = clock_micros(CLOCK_MONOTONIC) - start;
  close(ends[0]);
  started.pid = ready ? pid : -ETIMEDOUT;
  if (!ready) cbench_stop(pid);
  return started;
}

int cbench_stop(int pid) {
  int status = 0;
  kill(pid, SIGTERM);
  for (int i = 0; i < 500; i++) {
    pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == pid) return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
    if (ended < 0) return -errno;
    struct timespec pause = {0, 10000000};
    nanosleep(&pause, 0);
  }
  kill(pid, SIGKILL);
  waitpid(pid, &status, 0);
  return -ETIMEDOUT;
}

int cbench_clock_ticks(void) { return (int)sysconf(_SC_CLK_TCK); }
