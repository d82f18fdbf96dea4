// A job that means harm; the tests run it in the sandbox, never elsewhere. One word says what it tries.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int say(const char *what, long result) {
  printf("%s %s\n", what, result < 0 ? strerror(errno) : "done");
  return result < 0 ? 0 : 1;
}

static void *wait_for_ever(void *nothing) {
  pause();
  return nothing;
}

// Touches 64 GiB, a mebibyte at a time, private or shared.
static int hog(int flags) {
  for (long mebibytes = 0; mebibytes < 65536; mebibytes++) {
    char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) return 3;
    memset(at, 1, 1 << 20);
  }
  return 0;
}

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "";
  if (strcmp(what, "memory") == 0) return hog(MAP_PRIVATE);
  if (strcmp(what, "shared") == 0) return hog(MAP_SHARED);
  if (strcmp(what, "children") == 0) {
    // Each child stays below the limit; only their sum passes it.
    for (int child = 0; child < 8; child++)
      if (fork() == 0) {
        char *at = malloc(40 << 20);
        memset(at, 1, 40 << 20);
        pause();
      }
    pause();
  }
  if (strcmp(what, "fork") == 0)
    for (;;) fork();
  if (strcmp(what, "threads") == 0) {
    pthread_t thread;
    for (;;) pthread_create(&thread, NULL, wait_for_ever, NULL);
  }
  if (strcmp(what, "stubborn") == 0) {
    for (int number = 1; number < 64; number++) signal(number, SIG_IGN);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
  }
  if (strcmp(what, "spin") == 0)
    for (volatile long turn = 0;; turn++) continue;
  if (strcmp(what, "sparse") == 0) {
    int file = open("/build/sparse", O_CREAT | O_RDWR, 0600);
    return ftruncate(file, 1L << 40) < 0 ? 4 : 0;
  }
  if (strcmp(what, "empty-files") == 0)
    for (long number = 0;; number++) {
      char name[64];
      snprintf(name, sizeof name, "/build/%ld", number);
      int file = open(name, O_CREAT | O_WRONLY, 0600);
      if (file < 0) return 5;
      close(file);
    }
  if (strcmp(what, "escape") == 0) {
    int open_ways = 0;
    open_ways += say("user namespace", unshare(CLONE_NEWUSER));
    open_ways += say("memfd", syscall(SYS_memfd_create, "x", 0));
    open_ways += say("shm", shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600));
    open_ways += say("keyring", syscall(SYS_keyctl, 0, -3, 1));
    open_ways += say("setuid", setuid(0));
    open_ways += say("chroot", chroot("/build"));
    open_ways += say("mount", syscall(SYS_mount, "none", "/build", "tmpfs", 0, NULL));
    open_ways += say("root", open("/new", O_CREAT | O_WRONLY, 0600));
    open_ways += say("terminal", open("/dev/tty", O_RDWR));
    open_ways += say("kernel setting", open("/proc/sys/kernel/core_pattern", O_WRONLY));
    open_ways += say("raised limit", nice(-5) == -1 ? -1 : 0);
    struct sockaddr_in far = {.sin_family = AF_INET, .sin_port = htons(53)};
    inet_pton(AF_INET, "1.1.1.1", &far.sin_addr);
    open_ways += say("connect", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&far, sizeof far));
    return open_ways;
  }
  return 64;
}
