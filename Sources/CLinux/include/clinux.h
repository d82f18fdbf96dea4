// Owns: the Linux calls that Glibc's Swift module does not show, as plain structs in and out.
// Refuses to know: Swift, tokens' meaning, policy. No union, cmsg or sockaddr crosses this header.
//
// Every function that can fail returns a number >= 0, or the negated errno. None of them retries on EINTR:
// the one funnel in Swift does. Descriptors made here are close-on-exec; sockets are also non-blocking.
#ifndef TALLY_CLINUX_H
#define TALLY_CLINUX_H
#include <stddef.h>
#include <stdint.h>

// ---- epoll (level-triggered) -----------------------------------------------------------------------------------

typedef struct clinux_ready {
  uint64_t token;
  uint32_t events;
} clinux_ready;

enum {
  CLINUX_READABLE = 0x001,   // EPOLLIN
  CLINUX_WRITABLE = 0x004,   // EPOLLOUT
  CLINUX_ERROR = 0x008,      // EPOLLERR, always reported
  CLINUX_HANGUP = 0x010,     // EPOLLHUP, always reported
  CLINUX_PEER_ENDED = 0x2000 // EPOLLRDHUP
};

int clinux_epoll_create(void);
int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token);
int clinux_epoll_modify(int epoll, int descriptor, uint32_t events, uint64_t token);
int clinux_epoll_remove(int epoll, int descriptor);
/// Waits at most `timeout_ms` (-1: for ever) and fills at most `capacity` (<= 256) rows.
int clinux_epoll_wait(int epoll, clinux_ready *into, int capacity, int timeout_ms);
/// poll(2) on one descriptor for reading; 1 when readable, 0 on time-out.
int clinux_wait_readable(int descriptor, int timeout_ms);

// ---- internet sockets ------------------------------------------------------------------------------------------

/// An IPv6 address in two host-order halves (IPv4 as ::ffff:a.b.c.d) and a host-order port.
typedef struct clinux_endpoint {
  uint64_t high;
  uint64_t low;
  uint16_t port;
} clinux_endpoint;

/// One slot of a batch. `offset` is where its bytes begin in the caller's slab.
typedef struct clinux_datagram {
  clinux_endpoint remote;
  uint32_t offset;
  uint32_t length;
  uint8_t truncated;
} clinux_datagram;

enum { CLINUX_BATCH_MAX = 64 };

/// A UDP (`stream` 0) or TCP (1) socket. `v6` 1: IPv6 with V6ONLY off, so IPv4 peers appear mapped.
int clinux_socket(int v6, int stream);
int clinux_bind(int descriptor, int v6, clinux_endpoint at);
/// -EINPROGRESS when the handshake goes on; then wait until writable and ask `clinux_socket_error`.
int clinux_connect(int descriptor, int v6, clinux_endpoint to);
int clinux_listen(int descriptor, int backlog);
/// `remote` is zero for a Unix socket.
int clinux_accept(int descriptor, clinux_endpoint *remote);
int clinux_local_endpoint(int descriptor, clinux_endpoint *into);
int clinux_remote_endpoint(int descriptor, clinux_endpoint *into);
/// Takes the pending error of a socket: 0 or a positive errno, as the result.
int clinux_socket_error(int descriptor);
int clinux_receive_batch(
  int descriptor, uint8_t *slab, uint32_t slot_bytes, uint32_t payload_bytes, clinux_datagram *slots, uint32_t count);
int clinux_send_batch(int descriptor, int v6, const uint8_t *slab, const clinux_datagram *slots, uint32_t count);
int64_t clinux_receive(int descriptor, uint8_t *into, size_t capacity);
/// MSG_NOSIGNAL: a closed peer is EPIPE, never a signal.
int64_t clinux_send(int descriptor, const uint8_t *bytes, size_t offset, size_t count);
int clinux_shutdown_write(int descriptor);
int clinux_set_reuse_address(int descriptor);
int clinux_set_buffers(int descriptor, int receive_bytes, int send_bytes);
/// Sets no-delay, keepalive and TCP_USER_TIMEOUT; 0 leaves one as it is.
int clinux_tune_tcp(int descriptor, int idle_s, int interval_s, int probes, int user_timeout_ms);
/// What `clinux_tune_tcp` set, read back: no-delay, keepalive on, idle, interval, probes, user time-out.
typedef struct clinux_tcp_options {
  int32_t no_delay, keep_alive, idle_s, interval_s, probes, user_timeout_ms;
} clinux_tcp_options;
int clinux_read_tcp_options(int descriptor, clinux_tcp_options *into);
/// Datagrams the kernel dropped because this socket's receive buffer was full (SO_MEMINFO).
int64_t clinux_socket_drops(int descriptor);

/// What an inherited descriptor is.
typedef struct clinux_socket_kind {
  uint8_t is_unix, is_v6, is_stream, is_listening;
} clinux_socket_kind;
int clinux_describe_socket(int descriptor, clinux_socket_kind *into);

// ---- Unix sockets ----------------------------------------------------------------------------------------------

typedef struct clinux_credentials {
  int32_t pid;
  uint32_t uid;
  uint32_t gid;
} clinux_credentials;

int clinux_unix_socket(void);
/// Binds so that the socket file is born with `mode` (never wider, whatever the umask of other threads).
int clinux_unix_bind(int descriptor, const char *path, uint32_t mode);
/// -ECONNREFUSED: nobody listens there. A leading '@' names an abstract socket.
int clinux_unix_connect(int descriptor, const char *path);
/// Longest path a Unix socket may have: 107.
int clinux_unix_path_max(void);
int clinux_peer_credentials(int descriptor, clinux_credentials *into);
/// All supplementary groups of the peer (SO_PEERGROUPS); the count, or -ERANGE when `capacity` is too small.
int clinux_peer_groups(int descriptor, uint32_t *into, int capacity);
/// A connected pair of stream sockets.
int clinux_socket_pair(int *first, int *second);

// ---- files -----------------------------------------------------------------------------------------------------

enum { CLINUX_ABSENT = 0, CLINUX_IS_SOCKET = 1, CLINUX_IS_FILE = 2, CLINUX_IS_DIRECTORY = 3, CLINUX_IS_OTHER = 4 };
/// What `path` names, without following a last symbolic link.
int clinux_path_kind(const char *path);
/// Identity of the file at `path`; both 0 when there is none.
typedef struct clinux_file_id {
  uint64_t device, inode;
} clinux_file_id;
int clinux_file_identity(const char *path, clinux_file_id *into);
/// Opens (making it 0600) and locks `path` exclusively, without waiting. -EWOULDBLOCK: another process holds it.
/// -ESTALE: the file was replaced between open and lock; call again. The lock ends with the descriptor.
int clinux_lock_file(const char *path);
int clinux_unlink(const char *path);
int clinux_chmod(const char *path, uint32_t mode);
int clinux_chown_group(const char *path, uint32_t group);
int clinux_mode_of(const char *path, uint32_t *mode);
/// The gid of a group's name from /etc/group alone (no NSS), or -ENOENT.
int64_t clinux_group_id(const char *name);
int clinux_open_null(void);
int clinux_close(int descriptor);
int clinux_set_close_on_exec(int descriptor, int on);
int clinux_pipe(int *reading, int *writing);

// ---- signals, events, clocks, chance ---------------------------------------------------------------------------

/// Blocks the signals in the calling thread (threads made later inherit that) and reads them from a descriptor.
int clinux_signal_descriptor(const int *signals, int count);
/// The next signal's number, or -EAGAIN.
int clinux_next_signal(int descriptor);
int clinux_ignore_sigpipe(void);
int clinux_event_descriptor(void);
int clinux_event_poke(int descriptor);
int clinux_event_drain(int descriptor);
/// CLOCK_BOOTTIME: never goes back, and counts the time a laptop slept.
int64_t clinux_boot_micros(void);
int64_t clinux_monotonic_micros(void);
int64_t clinux_wall_millis(void);
int64_t clinux_random(uint8_t *into, size_t count);

// ---- processes -------------------------------------------------------------------------------------------------

/// `parent`'s descriptor appears as `child` in the new process.
typedef struct clinux_inherit {
  int parent;
  int child;
} clinux_inherit;

/// Starts `path`. `arguments` and `environment` are NUL-terminated strings one behind the other; the counts say how
/// many. Only the `inherited` descriptors stay open, and 0 to 2 when none of those takes their place; at most 16.
/// Signals are unblocked and back to default. `directory` may be null. `new_session` 1: setsid. Returns the pid.
int clinux_spawn(
  const char *path, const char *arguments, int argument_count, const char *environment, int environment_count,
  const clinux_inherit *inherited, int inherited_count, const char *directory, int new_session);

/// How a child ended, and what it and its waited-for children used.
typedef struct clinux_exit {
  int32_t pid;
  int32_t code;   // exit code, or -1
  int32_t signal; // killing signal, or 0
  int64_t user_micros;
  int64_t system_micros;
  int64_t resident_kib_max;
} clinux_exit;

/// Reaps `pid` (-1: any child). 1: filled; 0: none has ended yet (only with `no_wait` 1); -ECHILD: no such child.
int clinux_reap(int pid, int no_wait, clinux_exit *into);
/// Readable once the process has ended.
int clinux_pidfd_open(int pid);
int clinux_pidfd_signal(int pidfd, int signal);
/// Signals a process (pid > 0) or a process group (pid < 0).
int clinux_kill(int pid, int signal);
/// pid of this process' future orphaned grandchildren's reaper: itself.
int clinux_become_subreaper(void);
/// This process gets `signal` when its parent dies.
int clinux_die_with_parent(int signal);

enum {
  CLINUX_LIMIT_CPU_SECONDS, CLINUX_LIMIT_FILE_BYTES, CLINUX_LIMIT_ADDRESS_BYTES, CLINUX_LIMIT_OPEN_FILES,
  CLINUX_LIMIT_PROCESSES, CLINUX_LIMIT_CORE_BYTES, CLINUX_LIMIT_STACK_BYTES
};
/// prlimit(2); `pid` 0 is this process.
int clinux_set_limit(int pid, int limit, uint64_t soft, uint64_t hard);
int clinux_get_limit(int pid, int limit, uint64_t *soft, uint64_t *hard);

// ---- threads ---------------------------------------------------------------------------------------------------

/// Starts a thread with every signal blocked. `thread` receives its handle.
int clinux_thread_start(uint64_t *thread, void *(*body)(void *), void *context);
/// Names the calling thread; 15 bytes are kept.
int clinux_thread_name(const char *name);
int clinux_thread_join(uint64_t thread);
int clinux_thread_detach(uint64_t thread);

// ---- service manager -------------------------------------------------------------------------------------------

/// sd_listen_fds(3): how many sockets were passed, from descriptor 3 on; forgets the variables.
int clinux_listen_descriptors(void);
/// sd_notify(3): one datagram to the socket at `path` ('@': abstract).
int clinux_notify(const char *path, const char *text, size_t count);

// ---- names of errors -------------------------------------------------------------------------------------------

/// "ECONNREFUSED", or "errno" when the number has no name.
const char *clinux_error_name(int code);
int clinux_error_text(int code, char *into, size_t capacity);

// ---- addresses of this machine -----------------------------------------------------------------------------------

/// Addresses of interfaces that are up, IPv4 mapped, without link-local ones; at most `capacity`. Ports are 0.
int clinux_local_addresses(clinux_endpoint *into, int capacity);

#endif
