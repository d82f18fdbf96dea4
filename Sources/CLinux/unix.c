// Owns: Unix sockets, their paths and peers, and the service manager's two conventions.
#define _GNU_SOURCE
#include "clinux.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int result(int value) { return value < 0 ? -errno : value; }

/// The length of the sockaddr; 0 when the path is empty or longer than 107 bytes.
static socklen_t to_path(struct sockaddr_un *into, const char *path) {
  size_t count = strlen(path);
  if (count == 0 || count >= sizeof into->sun_path) return 0;
  memset(into, 0, sizeof *into);
  into->sun_family = AF_UNIX;
  memcpy(into->sun_path, path, count);
  if (path[0] != '@') return sizeof *into;
  into->sun_path[0] = 0;
  return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + count);
}

int clinux_unix_path_max(void) { return (int)sizeof(((struct sockaddr_un *)0)->sun_path) - 1; }

int clinux_unix_socket(void) { return result(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)); }

int clinux_unix_bind(int descriptor, const char *path, uint32_t mode) {
  struct sockaddr_un name;
  socklen_t length = to_path(&name, path);
  if (length == 0) return -ENAMETOOLONG;
  // Linux makes the file with the mode of the socket's own inode: set before the bind, there is no moment in which
  // the file is wider, and the umask (which belongs to all threads) stays untouched.
  if (fchmod(descriptor, mode) < 0) return -errno;
  return result(bind(descriptor, (struct sockaddr *)&name, length));
}

int clinux_unix_connect(int descriptor, const char *path) {
  struct sockaddr_un name;
  socklen_t length = to_path(&name, path);
  if (length == 0) return -ENAMETOOLONG;
  return result(connect(descriptor, (struct sockaddr *)&name, length));
}

int clinux_peer_credentials(int descriptor, clinux_credentials *into) {
  struct ucred peer;
  socklen_t length = sizeof peer;
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return -errno;
  into->pid = peer.pid;
  into->uid = peer.uid;
  into->gid = peer.gid;
  return 0;
}

int clinux_peer_groups(int descriptor, uint32_t *into, int capacity) {
  _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "gid_t");
  socklen_t length = (socklen_t)capacity * (socklen_t)sizeof(gid_t);
  if (getsockopt(descriptor, SOL_SOCKET, SO_PEERGROUPS, into, &length) < 0) return -errno;
  return (int)(length / sizeof(gid_t));
}

int clinux_socket_pair(int *first, int *second) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  *first = pair[0];
  *second = pair[1];
  return 0;
}

int clinux_listen_descriptors(void) {
  const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
  int passed = 0;
  if (pid && count && strtol(pid, NULL, 10) == getpid()) {
    long number = strtol(count, NULL, 10);
    if (number > 0 && number <= 64) passed = (int)number;
  }
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  for (int index = 0; index < passed; index++) {
    int flags = fcntl(3 + index, F_GETFL);
    if (flags < 0) return -errno;
    if (fcntl(3 + index, F_SETFD, FD_CLOEXEC) < 0 || fcntl(3 + index, F_SETFL, flags | O_NONBLOCK) < 0) return -errno;
  }
  return passed;
}

int clinux_notify(const char *path, const char *text, size_t count) {
  struct sockaddr_un name;
  socklen_t length = to_path(&name, path);
  if (length == 0) return -ENAMETOOLONG;
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  ssize_t sent = sendto(descriptor, text, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&name, length);
  int code = sent < 0 ? -errno : 0;
  close(descriptor);
  return code;
}
