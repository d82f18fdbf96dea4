// Owns: the datagram path against a C program's: one echo server after the other under the same load, in one run.
// Refuses to know: sessions; nothing is sealed on either side.
import CBenchEcho
import TallyBase
import TallyNet

enum NetBench {
  struct Served {
    /// Echoed datagrams a second, and of the server's own thread a CPU second.
    var rate: Double
    var perProcessor: Double
    var perCall: Double
  }

  static func run() throws -> [Figure] { try [200, 1200].flatMap(measure) }

  private static func measure(_ payload: Int) throws -> [Figure] {
    var (ours, plain): ([Served], [Served]) = ([], [])
    for _ in 0..<5 {
      plain.append(try serveInC(payload))
      ours.append(try serveInTally(payload))
    }
    func middle(_ values: [Served], _ field: (Served) -> Double) -> Double { Meter.middle(values.map(field)) }
    let (rate, other) = (middle(ours, \.rate), middle(plain, \.rate))
    let (cpu, otherCPU) = (middle(ours, \.perProcessor), middle(plain, \.perProcessor))
    return [
      Figure("udp.\(payload).tally", rate, "echoes/s", "\(Int(cpu)) a CPU second of the server's thread"),
      Figure("udp.\(payload).c", other, "echoes/s", "\(Int(otherCPU)) a CPU second; recvmmsg and sendmmsg of 64"),
      Figure(
        "udp.\(payload).ratio", cpu / otherCPU, "",
        "by CPU of the server; by rate \(SessionBench.ratio(rate, other))"),
      Figure(
        "udp.\(payload).batch", middle(ours, \.perCall), "datagrams/recvmmsg",
        "C: \(Figure("", middle(plain, \.perCall), "").shown)"),
    ]
  }

  private static let milliseconds: CInt = 600
  private static let window: CInt = 192

  private static func serveInC(_ payload: Int) throws -> Served {
    let socket = cbench_echo_open(1 << 20)
    guard socket >= 0 else { throw SystemError(call: "socket", code: -socket) }
    defer { cbench_close(socket) }
    try load(cbench_port(socket), payload)
    let start = cbench_thread_micros()
    let served = cbench_echo_serve(socket, milliseconds)
    let cpu = cbench_thread_micros() - start
    return finish(served.datagrams, calls: served.calls, cpu: cpu)
  }

  private static func serveInTally(_ payload: Int) throws -> Served {
    var net = try NetDriver()
    let local = try net.openDatagrams(at: Endpoint(address: Address(v4: 0x7f00_0001), port: 0))
    try load(CInt(local.port), payload)
    var events: [NetEvent] = []
    let start = cbench_thread_micros()
    let end = ContinuousClock.now + .milliseconds(Int(milliseconds))
    while ContinuousClock.now < end {
      _ = try net.poll(timeout: .milliseconds(20), into: &events)
      for event in events {
        if case .datagram(let remote, let bytes) = event { net.send(bytes, to: remote) }
      }
      events.removeAll(keepingCapacity: true)
    }
    let cpu = cbench_thread_micros() - start
    let counters = net.counters
    return finish(counters.datagramsSent, calls: counters.receiveCalls, cpu: cpu)
  }

  private static func load(_ port: CInt, _ payload: Int) throws {
    let status = cbench_load_start(port, CInt(payload), window)
    guard status == 0 else { throw SystemError(call: "load", code: -status) }
  }

  private static func finish(_ count: UInt64, calls: UInt64, cpu: UInt64) -> Served {
    _ = cbench_load_stop()
    return Served(
      rate: Double(count) / Double(milliseconds) * 1000, perProcessor: Double(count) / Double(max(1, cpu)) * 1e6,
      perCall: Double(count) / Double(max(1, calls)))
  }
}
