// Owns: sockets, epoll, descriptors of events. Processes, files and threads are in the files beside it.
#define _GNU_SOURCE
#include "clinux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Static_assert((int)CLINUX_READABLE == (int)EPOLLIN && (int)CLINUX_WRITABLE == (int)EPOLLOUT, "epoll bits");
_Static_assert((int)CLINUX_ERROR == (int)EPOLLERR && (int)CLINUX_HANGUP == (int)EPOLLHUP, "epoll bits");
_Static_assert((int)CLINUX_PEER_ENDED == (int)EPOLLRDHUP, "epoll bits");

static int result(int value) { return value < 0 ? -errno : value; }

// ---- epoll -----------------------------------------------------------------------------------------------------

int clinux_epoll_create(void) { return result(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
  struct epoll_event event = {.events = events, .data.u64 = token};
  return result(epoll_ctl(epoll, operation, descriptor, &event));
}

int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
  return control(epoll, EPOLL_CTL_ADD, descriptor, events, token);
}

int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token) {
  return control(epoll, EPOLL_CTL_MOD, descriptor, events, token);
}

int clinux_epoll_remove(int epoll, int descriptor) { return control(epoll, EPOLL_CTL_DEL, descriptor, 0, 0); }

int clinux_epoll_wait(int epoll, clinux_ready *into, int capacity, int timeout_ms) {
  struct epoll_event events[256];
  int count = epoll_wait(epoll, events, capacity < 256 ? capacity : 256, timeout_ms);
  if (count < 0) return -errno;
  for (int index = 0; index < count; index++)
    into[index] = (clinux_ready){.token = events[index].data.u64, .events = events[index].events};
  return count;
}

int clinux_wait_readable(int descriptor, int timeout_ms) {
  struct pollfd row = {.fd = descriptor, .events = POLLIN};
  return result(poll(&row, 1, timeout_ms));
}

// ---- addresses -------------------------------------------------------------------------------------------------

typedef union {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
} address;

static uint64_t load_big(const uint8_t *bytes) {
  uint64_t value = 0;
  for (int index = 0; index < 8; index++) value = value << 8 | bytes[index];
  return value;
}

static void store_big(uint8_t *bytes, uint64_t value) {
  for (int index = 7; index >= 0; index--, value >>= 8) bytes[index] = (uint8_t)value;
}

/// The length of the sockaddr; 0 when an IPv4 socket cannot express it.
static socklen_t to_address(address *into, int v6, clinux_endpoint from) {
  memset(into, 0, sizeof *into);
  if (v6) {
    into->v6.sin6_family = AF_INET6;
    into->v6.sin6_port = htons(from.port);
    store_big(into->v6.sin6_addr.s6_addr, from.high);
    store_big(into->v6.sin6_addr.s6_addr + 8, from.low);
    return sizeof into->v6;
  }
  int unspecified = from.high == 0 && from.low == 0;
  if (!unspecified && (from.high != 0 || from.low >> 32 != 0xffff)) return 0;
  into->v4.sin_family = AF_INET;
  into->v4.sin_port = htons(from.port);
  into->v4.sin_addr.s_addr = htonl((uint32_t)from.low);
  return sizeof into->v4;
}

static clinux_endpoint from_address(const address *from) {
  clinux_endpoint into = {0, 0, 0};
  if (from->any.sa_family == AF_INET6) {
    into.high = load_big(from->v6.sin6_addr.s6_addr);
    into.low = load_big(from->v6.sin6_addr.s6_addr + 8);
    into.port = ntohs(from->v6.sin6_port);
  } else if (from->any.sa_family == AF_INET) {
    into.low = 0xffff00000000ull | ntohl(from->v4.sin_addr.s_addr);
    into.port = ntohs(from->v4.sin_port);
  }
  return into;
}

// ---- internet sockets ------------------------------------------------------------------------------------------

int clinux_socket(int v6, int stream) {
  int kind = (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC;
  int descriptor = socket(v6 ? AF_INET6 : AF_INET, kind, 0);
  if (descriptor < 0) return -errno;
  int off = 0;
  if (v6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off) < 0) {
    int code = errno;
    close(descriptor);
    return -code;
  }
  return descriptor;
}

int clinux_bind(int descriptor, int v6, clinux_endpoint at) {
  address name;
  socklen_t length = to_address(&name, v6, at);
  if (length == 0) return -EAFNOSUPPORT;
  return result(bind(descriptor, &name.any, length));
}

int clinux_connect(int descriptor, int v6, clinux_endpoint to) {
  address name;
  socklen_t length = to_address(&name, v6, to);
  if (length == 0) return -EAFNOSUPPORT;
  return result(connect(descriptor, &name.any, length));
}

int clinux_listen(int descriptor, int backlog) { return result(listen(descriptor, backlog)); }

int clinux_accept(int descriptor, clinux_endpoint *remote) {
  address name;
  memset(&name, 0, sizeof name);
  socklen_t length = sizeof name;
  int accepted = accept4(descriptor, &name.any, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (accepted < 0) return -errno;
  *remote = from_address(&name);
  return accepted;
}

int clinux_local_endpoint(int descriptor, clinux_endpoint *into) {
  address name;
  socklen_t length = sizeof name;
  if (getsockname(descriptor, &name.any, &length) < 0) return -errno;
  *into = from_address(&name);
  return 0;
}

int clinux_remote_endpoint(int descriptor, clinux_endpoint *into) {
  address name;
  socklen_t length = sizeof name;
  if (getpeername(descriptor, &name.any, &length) < 0) return -errno;
  *into = from_address(&name);
  return 0;
}

int clinux_socket_error(int descriptor) {
  int code = 0;
  socklen_t length = sizeof code;
  if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) < 0) return -errno;
  return code;
}

int clinux_receive_batch(
  int descriptor, uint8_t *slab, uint32_t slot_bytes, uint32_t payload_bytes, clinux_datagram *slots, uint32_t count) {
  struct mmsghdr headers[CLINUX_BATCH_MAX];
  struct iovec pieces[CLINUX_BATCH_MAX];
  address names[CLINUX_BATCH_MAX];
  if (count > CLINUX_BATCH_MAX || payload_bytes > slot_bytes) return -EINVAL;
  memset(headers, 0, sizeof headers[0] * count);
  for (uint32_t index = 0; index < count; index++) {
    pieces[index] = (struct iovec){.iov_base = slab + (size_t)index * slot_bytes, .iov_len = payload_bytes};
    names[index].any.sa_family = AF_UNSPEC;
    headers[index].msg_hdr.msg_iov = &pieces[index];
    headers[index].msg_hdr.msg_iovlen = 1;
    headers[index].msg_hdr.msg_name = &names[index];
    headers[index].msg_hdr.msg_namelen = sizeof names[index];
  }
  int received = recvmmsg(descriptor, headers, count, MSG_DONTWAIT, NULL);
  if (received < 0) return -errno;
  for (int index = 0; index < received; index++) {
    slots[index].remote = from_address(&names[index]);
    slots[index].offset = (uint32_t)index * slot_bytes;
    slots[index].length = headers[index].msg_len;
    slots[index].truncated = (headers[index].msg_hdr.msg_flags & MSG_TRUNC) != 0;
  }
  return received;
}

int clinux_send_batch(int descriptor, int v6, const uint8_t *slab, const clinux_datagram *slots, uint32_t count) {
  struct mmsghdr headers[CLINUX_BATCH_MAX];
  struct iovec pieces[CLINUX_BATCH_MAX];
  address names[CLINUX_BATCH_MAX];
  if (count > CLINUX_BATCH_MAX) return -EINVAL;
  memset(headers, 0, sizeof headers[0] * count);
  uint32_t ready = 0;
  for (; ready < count; ready++) {
    socklen_t length = to_address(&names[ready], v6, slots[ready].remote);
    if (length == 0) break;
    pieces[ready] = (struct iovec){.iov_base = (void *)(slab + slots[ready].offset), .iov_len = slots[ready].length};
    headers[ready].msg_hdr.msg_iov = &pieces[ready];
    headers[ready].msg_hdr.msg_iovlen = 1;
    headers[ready].msg_hdr.msg_name = &names[ready];
    headers[ready].msg_hdr.msg_namelen = length;
  }
  if (ready == 0) return count == 0 ? 0 : -EAFNOSUPPORT;
  return result(sendmmsg(descriptor, headers, ready, MSG_DONTWAIT | MSG_NOSIGNAL));
}

int64_t clinux_receive(int descriptor, uint8_t *into, size_t capacity) {
  ssize_t count = recv(descriptor, into, capacity, MSG_DONTWAIT);
  return count < 0 ? -errno : count;
}

int64_t clinux_send(int descriptor, const uint8_t *bytes, size_t offset, size_t count) {
  ssize_t sent = send(descriptor, bytes + offset, count, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent < 0 ? -errno : sent;
}

int clinux_shutdown_write(int descriptor) { return result(shutdown(descriptor, SHUT_WR)); }

static int set_option(int descriptor, int level, int name, int value) {
  return result(setsockopt(descriptor, level, name, &value, sizeof value));
}

static int get_option(int descriptor, int level, int name, int32_t *value) {
  int read = 0;
  socklen_t length = sizeof read;
  if (getsockopt(descriptor, level, name, &read, &length) < 0) return -errno;
  *value = read;
  return 0;
}

int clinux_set_reuse_address(int descriptor) { return set_option(descriptor, SOL_SOCKET, SO_REUSEADDR, 1); }

int clinux_set_buffers(int descriptor, int receive_bytes, int send_bytes) {
  int code = 0;
  if (receive_bytes > 0) code = set_option(descriptor, SOL_SOCKET, SO_RCVBUF, receive_bytes);
  if (code == 0 && send_bytes > 0) code = set_option(descriptor, SOL_SOCKET, SO_SNDBUF, send_bytes);
  return code;
}

int clinux_tune_tcp(int descriptor, int idle_s, int interval_s, int probes, int user_timeout_ms) {
  int code = set_option(descriptor, IPPROTO_TCP, TCP_NODELAY, 1);
  if (code == 0) code = set_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1);
  if (code == 0 && idle_s > 0) code = set_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, idle_s);
  if (code == 0 && interval_s > 0) code = set_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
  if (code == 0 && probes > 0) code = set_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, probes);
  if (code == 0 && user_timeout_ms > 0) code = set_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
  return code;
}

int clinux_read_tcp_options(int descriptor, clinux_tcp_options *into) {
  int code = get_option(descriptor, IPPROTO_TCP, TCP_NODELAY, &into->no_delay);
  if (code == 0) code = get_option(descriptor, SOL_SOCKET, SO_KEEPALIVE, &into->keep_alive);
  if (code == 0) code = get_option(descriptor, IPPROTO_TCP, TCP_KEEPIDLE, &into->idle_s);
  if (code == 0) code = get_option(descriptor, IPPROTO_TCP, TCP_KEEPINTVL, &into->interval_s);
  if (code == 0) code = get_option(descriptor, IPPROTO_TCP, TCP_KEEPCNT, &into->probes);
  if (code == 0) code = get_option(descriptor, IPPROTO_TCP, TCP_USER_TIMEOUT, &into->user_timeout_ms);
  return code;
}

int64_t clinux_socket_drops(int descriptor) {
  uint32_t info[SK_MEMINFO_VARS] = {0};
  socklen_t length = sizeof info;
  if (getsockopt(descriptor, SOL_SOCKET, SO_MEMINFO, info, &length) < 0) return -errno;
  return info[SK_MEMINFO_DROPS];
}

int clinux_describe_socket(int descriptor, clinux_socket_kind *into) {
  int32_t domain = 0, type = 0, listening = 0;
  int code = get_option(descriptor, SOL_SOCKET, SO_DOMAIN, &domain);
  if (code == 0) code = get_option(descriptor, SOL_SOCKET, SO_TYPE, &type);
  if (code == 0) code = get_option(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening);
  if (code != 0) return code;
  into->is_unix = domain == AF_UNIX;
  into->is_v6 = domain == AF_INET6;
  into->is_stream = type == SOCK_STREAM;
  into->is_listening = listening != 0;
  return 0;
}
