// Owns: the ground of one test: a fresh directory, the hosts on it, and that nothing is left behind.
// A failed test's directory is kept and its path printed. Refuses to know: what is tested.
import Foundation
import Glibc
import TallyAdmin
import TallyBase

public final class Field {
  public let name: String
  public let directory: String
  public private(set) var hosts: [Host] = []
  private var children: [Child] = []
  private var cleanups: [() -> Void] = []

  /// The mesh that hosts join unless a test says otherwise.
  public static let mesh = MeshFile(
    name: "demo", nonce: Array(0x10..<0x20), keys: [[UInt8](repeating: 0x11, count: 32)])

  /// Runs a test. Without a built daemon it says SKIP and passes.
  public static func run(_ name: String, _ body: (Field) throws -> Void) throws {
    guard Programs.tallyd != nil else {
      skip("ProcessTests/\(name)", "no tallyd beside the test bundle; build it, or set TALLY_BIN")
      return
    }
    let field = try Field(name)
    let start = microsNow()
    do {
      try body(field)
      try field.checkHosts()
      field.end()
      try field.checkNothingLeft()
      Files.remove(field.directory)
      figure("\(name) seconds", String(format: "%.2f", Double(microsNow() - start) / 1_000_000))
    } catch {
      field.end()
      print("KEPT \(field.directory) (\(name))")
      throw HarnessError("\(error)\nkept: \(field.directory)\n\(field.logTails)")
    }
  }

  private init(_ name: String) throws {
    self.name = name
    // A Unix socket's path has at most 107 bytes: a long TMPDIR is not used.
    let base = NSTemporaryDirectory()
    var template = Array(((base.utf8.count < 60 ? base : "/tmp/") + "/tally-p.XXXXXX").utf8CString)
    // Safe: the array ends with a NUL, and mkdtemp changes six bytes of it.
    let made = unsafe mkdtemp(&template) != nil
    try demand(made, "cannot make a directory below \(base)")
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// A host with a data directory of its own, not started yet.
  public func host(_ name: String, mesh: MeshFile = Field.mesh, seeds: [String] = [], in parent: String? = nil) throws -> Host {
    let host = try Host(name, directory: (parent ?? directory) + "/" + name, mesh: mesh, seeds: seeds, field: self)
    hosts.append(host)
    return host
  }

  /// A started mesh of `count` hosts (a, b, c, …), all joined through the first, everybody a member everywhere.
  public func mesh(of count: Int) throws -> [Host] {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"].prefix(count)
    var all: [Host] = []
    for name in names {
      let host = try self.host(name, seeds: try all.first.map { [try $0.invite()] } ?? [])
      try host.start()
      all.append(host)
    }
    try converge(all)
    return all
  }

  /// Every host knows as many members as there are hosts, signs, and holds the same clock and the same derived state.
  public func converge(_ hosts: [Host], members: Int? = nil, within seconds: Double = 30) throws {
    let count = members ?? hosts.count
    var last: [StatusResult] = []
    try eventually(
      "\(hosts.count) hosts hold the same", within: seconds, everyMs: 10,
      state: {
        last.map {
          "\($0.name): members \($0.members), entries \($0.entries), signing \($0.signing), clock \($0.clockDigest.prefix(8)), "
            + "state \($0.stateDigest.prefix(8))"
        }.joined(separator: " | ")
      }
    ) {
      last = try hosts.map { try $0.status() }
      return last.allSatisfy {
        $0.members == count && $0.signing == "on" && $0.clockDigest == last[0].clockDigest
          && $0.stateDigest == last[0].stateDigest
      }
    }
  }

  func started(_ child: Child) { children.append(child) }
  /// Runs at the end, whatever happens; the last one first.
  public func atEnd(_ body: @escaping () -> Void) { cleanups.append(body) }

  /// A daemon that ended without being asked, or that trapped, fails the test.
  private func checkHosts() throws {
    for host in hosts {
      if host.isMeantToRun, let end = host.child?.poll() { throw HarnessError("\(host.name) ended by itself: \(end)") }
      for word in ["Fatal error", "Precondition failed", "Illegal instruction", "Segmentation fault"] {
        try demand(!Files.text(host.log).contains(word), "the log of \(host.name) says \"\(word)\"")
      }
    }
  }

  private func end() {
    for host in hosts { host.hangUp() }
    for child in children { child.kill() }
    for cleanup in cleanups.reversed() { cleanup() }
    cleanups.removeAll()
  }

  /// No process that was started here lives, and none that names this directory either.
  private func checkNothingLeft() throws {
    for child in children { try demand(child.end != nil, "process \(child.pid) was not reaped") }
    for entry in Files.list("/proc") where Int32(entry) != nil && Int32(entry) != getpid() {
      try demand(!Files.text("/proc/\(entry)/cmdline").contains(directory), "process \(entry) is left behind")
    }
  }

  private var logTails: String {
    hosts.map { host in
      let lines = Files.text(host.log).split(separator: "\n").suffix(12)
      return (["-- log of \(host.name)"] + lines.map { "   " + $0 }).joined(separator: "\n")
    }.joined(separator: "\n")
  }
}
