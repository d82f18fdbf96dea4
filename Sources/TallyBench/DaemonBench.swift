// Owns: what an idle daemon costs: start, memory, processor, traffic, size on disk. It starts a mesh on loopback in a
// network of its own and stops it. Refuses to know: the daemon's code; it is a program at a path.
import CBenchEcho
import Foundation
import TallyBase
import TallyCrypto
import TallyGossip

public enum DaemonBench {
  private static let nonce = "00112233445566778899aabbccddeeff"
  private static let key = String(repeating: "11", count: 32)

  /// `hosts` daemons, the first of them everybody's seed, idle for `seconds` after they have settled.
  public static func run(tallyd: String, hosts: Int, seconds: Double) throws -> [Figure] {
    guard FileManager.default.isExecutableFile(atPath: tallyd) else {
      throw DaemonFailure(description: "\(tallyd) is not a program")
    }
    let isPrivate = cbench_private_network() == 0
    let scratch = try Scratch()
    var daemons: [PosixDaemon] = []
    defer { for daemon in daemons where !daemon.stop() { print("pid \(daemon.pid) did not end in order") } }
    var figures = [try size(tallyd, scratch)]
    figures += try starts(tallyd, scratch)
    var seed: String?
    for number in 0..<hosts {
      let directory = "\(scratch.path)/host\(number)"
      try prepare(directory, port: 41_000 + number, seed: seed)
      daemons.append(
        try PosixDaemon(program: tallyd, directory: directory, log: "\(scratch.path)/host\(number).log"))
      if seed == nil { seed = try invite(directory, port: 41_000) }
    }
    Thread.sleep(forTimeInterval: 10)
    figures.append(Figure("daemon.links", Double(Loopback.links()), "", "of \(hosts * (hosts - 1) / 2) in a full mesh"))
    let before = (try Loopback.now(), try daemons.map { try $0.cpuSeconds() })
    Thread.sleep(forTimeInterval: seconds)
    let after = (try Loopback.now(), try daemons.map { try $0.cpuSeconds() })
    for (name, row) in [("pss", "Pss"), ("rss", "Rss"), ("anonymous", "Anonymous")] {
      let values = try daemons.map { try $0.memory(row) }
      figures.append(Figure("daemon.\(name)", Meter.middle(values), "KiB", "median of \(hosts) idle hosts"))
    }
    let used = zip(after.1, before.1).map { ($0 - $1) / seconds * 60 }
    figures.append(
      Figure(
        "daemon.cpu", used.reduce(0, +) / Double(hosts), "CPU s/min",
        "mean of \(hosts) idle hosts, \(Int(seconds)) s, ticks of 10 ms"))
    let sent = after.0.ipBytes(since: before.0) / seconds / Double(hosts)
    let packets = (after.0.packets - before.0.packets) / seconds / Double(hosts)
    let note = "\(Figure("", packets, "").shown) packets/s a host, IP headers counted"
    figures.append(
      Figure("daemon.traffic", sent, "bytes/s", isPrivate ? note : note + "; others used this loopback too"))
    return figures
  }

  private static func size(_ tallyd: String, _ scratch: Scratch) throws -> Figure {
    let copy = scratch.path + "/stripped"
    try FileManager.default.copyItem(atPath: tallyd, toPath: copy)
    let strip = Process()
    strip.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    strip.arguments = ["strip", copy]
    try strip.run()
    strip.waitUntilExit()
    let bytes = try FileManager.default.attributesOfItem(atPath: copy)[.size] as? Int ?? 0
    let note = strip.terminationStatus == 0 ? "stripped copy" : "not stripped: strip failed"
    return Figure("daemon.size", Double(bytes) / 1e6, "MB", note)
  }

  /// From before fork to the ready line: a new data directory once, then the same one again.
  private static func starts(_ tallyd: String, _ scratch: Scratch) throws -> [Figure] {
    let directory = scratch.path + "/lone"
    try prepare(directory, port: 40_999, seed: nil)
    var times: [Double] = []
    for _ in 0..<6 {
      let daemon = try PosixDaemon(program: tallyd, directory: directory, log: scratch.path + "/lone.log")
      times.append(daemon.readyMs)
      guard daemon.stop() else { throw DaemonFailure(description: "the daemon did not end in order") }
    }
    return [
      Figure("daemon.first", times[0], "ms", "exec to ready, new data directory"),
      Figure("daemon.ready", Meter.middle(Array(times.dropFirst())), "ms", "exec to ready, median of 5 more starts"),
    ]
  }

  private static func prepare(_ directory: String, port: Int, seed: String?) throws {
    let files = FileManager.default
    try files.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    var config = "[listen]\nat = [\"127.0.0.1:\(port)\"]\n"
    if let seed { config += "[join]\nseeds = [\"\(seed)\"]\n" }
    let mesh = "name = \"bench\"\nnonce = \"\(nonce)\"\nkeys = [\"\(key)\"]\n"
    for (name, text) in [("mesh.toml", mesh), ("tally.toml", config)] {
      let isMade = files.createFile(
        atPath: "\(directory)/\(name)", contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
      guard isMade else { throw DaemonFailure(description: "cannot write \(directory)/\(name)") }
    }
  }

  /// What the others need to find the host of this directory.
  private static func invite(_ directory: String, port: UInt16) throws -> String {
    let seed = FileManager.default.contents(atPath: directory + "/identity.key") ?? Data()
    guard let nonce = Hex.decode(nonce), let meshKey = Hex.decode(key) else {
      preconditionFailure("the constants above are hexadecimal")
    }
    let identity = try Identity(seed: [UInt8](seed))
    return Invite(
      key: identity.publicKey, host: "127.0.0.1", port: port, mesh: "bench", nonce: nonce, token: nil,
      meshKey: meshKey
    ).url
  }
}
