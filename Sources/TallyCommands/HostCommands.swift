// Owns: the verbs about hosts: this one, the others, trust and lending.
import ArgumentParser
import TallyAdmin

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "What this host says of itself, with warnings and how to mend them.")

  @OptionGroup var options: DaemonOptions
  @Flag(help: "Exit 3 when there is a warning.")
  var check = false

  func run() throws {
    let status = try options.connect().call("status", as: StatusResult.self)
    if options.json { Output.json(status) } else { show(status) }
    if check && !status.warnings.isEmpty { throw ExitCode(ClientError.Code.checkFailed.rawValue) }
  }

  private func show(_ status: StatusResult) {
    let members = status.member ? "\(status.alive) of \(status.members) members answer" : "not yet a member"
    Output.table([
      ["host", "\(status.name) in mesh \(status.mesh), up \(status.uptimeS) s, tallyd \(status.version)"],
      ["mesh", "\(members), \(status.links) links, \(status.sessions) sessions, \(status.table) in the table"],
      ["ledger", "\(status.entries) entries in \(status.feeds) feeds, \(status.forks) forked"],
      ["clock", "\(Output.short(status.clockDigest)), state \(Output.short(status.stateDigest))"],
      ["signing", status.signing],
      ["lending", status.lending],
      ["worker", status.worker],
      ["tasks", "\(status.openTasks) open, \(status.leasedTasks) leased here"],
      ["listening", status.listening.joined(separator: ", ")],
      ["data", "\(status.dataDirectory), \(status.store)"],
    ])
    for warning in status.warnings {
      Output.line("warning \(warning.code): \(warning.text)")
      Output.line("  fix: \(warning.fix)")
    }
  }
}

struct IDCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "id", abstract: "This host's key, name, feed and mesh.")
  @OptionGroup var options: DaemonOptions

  func run() throws {
    let id = try options.connect().call("id", as: IDResult.self)
    if options.json { return Output.json(id) }
    Output.table([
      ["name", id.name], ["key", id.key], ["node", id.node], ["feed", id.feed], ["mesh", "\(id.mesh) \(id.meshId)"],
    ])
  }
}

struct PeersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "peers", abstract: "Every host of the mesh as seen from here.")
  @OptionGroup var options: DaemonOptions
  @Flag(help: "Show keys.")
  var keys = false

  func run() throws {
    let peers = try options.connect().call("peers", as: PeersResult.self)
    if options.json { return Output.json(peers) }
    if peers.members.isEmpty { return Output.note("no other host yet; `tally invite` makes an invite") }
    Output.table(
      peers.members.map { peer in
        let time = peer.rttUs.map { "\($0 / 1000).\($0 % 1000 / 100) ms" } ?? "-"
        let lends = peer.lends ? "lends \(peer.cores) cores, \(peer.memMb) MiB, \(peer.arch)" : "lends nothing"
        return [peer.name, peer.state, peer.endpoint ?? "-", time, peer.relation, lends] + (keys ? [peer.key] : [])
      })
  }
}

struct PingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ping", abstract: "Round trips to a host over a sealed datagram session.")
  @OptionGroup var options: DaemonOptions
  @Option(name: [.customShort("c"), .long], help: "How many.")
  var count = 3
  @Argument(help: "A host's name or key.")
  var host: String

  struct Report: Encodable {
    var pongs: [PongResult]
  }

  func run() throws {
    let client = try options.connect()
    var report = Report(pongs: [])
    for number in 1...max(1, count) {
      let pong = try client.call("ping", HostParams(host: host), as: PongResult.self)
      report.pongs.append(pong)
      if !options.json {
        let time = "\(pong.rttUs / 1000).\(Self.three(pong.rttUs % 1000)) ms"
        Output.line("pong from \(pong.host) seq=\(number) in \(time); it sees us at \(pong.observed)")
      }
    }
    if options.json { Output.json(report) }
  }

  private static func three(_ value: Int64) -> String {
    String(repeating: "0", count: max(0, 3 - "\(value)".count)) + "\(value)"
  }
}

struct LookupCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lookup", abstract: "The hosts nearest to a host's ID that answered us.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A host's name or key, or 64 hexadecimal digits.")
  var target: String

  func run() throws {
    let result = try options.connect().call("lookup", LookupParams(target: target), as: LookupResult.self)
    if options.json { return Output.json(result) }
    Output.note("asked \(result.asked) hosts for \(Output.short(result.target))")
    Output.table(result.found.map { [$0.name, Output.short($0.node), $0.endpoints.joined(separator: ", ")] })
  }
}

struct LendCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lend", abstract: "Lend this host's idle capacity to hosts that you trust; --off stops it.")
  @OptionGroup var options: DaemonOptions
  @Flag(help: "Lend nothing any more.")
  var off = false
  @Flag(help: "Change nothing.")
  var show = false
  @Option(help: "Cores.")
  var cores: UInt16?
  @Option(help: "MiB of memory.")
  var mem: UInt32?
  @Option(help: "MiB of disk.")
  var disk: UInt32?
  @Option(help: "Jobs at once.")
  var slots: UInt16?

  func run() throws {
    var params = LendParams(on: show ? nil : !off)
    params.cores = cores
    params.memMb = mem
    params.diskMb = disk
    params.slots = slots
    let lend = try options.connect().call("lend", params, as: LendResult.self)
    if options.json { return Output.json(lend) }
    if lend.on {
      let room = "\(lend.memMb) MiB of memory, \(lend.diskMb) MiB of disk"
      Output.line("lent: \(lend.cores) cores, \(room), \(lend.slots) at once")
      Output.note("Only hosts that you trust may run programs here: tally trust NAME")
    } else {
      Output.line("nothing is lent")
    }
    Output.note("worker: \(lend.worker)")
  }
}

struct TrustCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust",
    abstract: "Trust a host: its programs may run here. --member takes that back, --block refuses it everything.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A host's name or key.")
  var host: String
  @Flag(help: "Plain membership.")
  var member = false
  @Flag(help: "Nothing from this host runs here; its log is still replicated.")
  var block = false
  @Flag(help: "Change nothing.")
  var show = false
  @Option(help: "Whom the host belongs to, in your own words.")
  var owner: String?
  @Option(name: .customLong("as"), help: "Your own name for the host.")
  var alias: String?

  func validate() throws {
    if member && block { throw ValidationError("--member and --block exclude each other") }
  }

  func run() throws {
    let relation = show ? nil : block ? "blocked" : member ? "member" : "trusted"
    let params = TrustParams(host: host, relation: relation, owner: owner, name: alias)
    let row = try options.connect().call("trust", params, as: TrustRow.self)
    if options.json { return Output.json(row) }
    Output.line("\(row.name) \(row.relation)\(row.owner.map { ", of \($0)" } ?? "") \(row.key)")
  }
}

struct APICommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "api",
    abstract: "Call a method of the admin socket, or list them all.",
    discussion: "tally api ledger.proof feed=3fa1 index=4. What looks like a number or a truth value is sent as one.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A method; without one all are listed.")
  var method: String?
  @Argument(help: "Parameters, NAME=VALUE.")
  var params: [String] = []

  struct Listing: Encodable {
    struct Row: Encodable {
      var name: String
      var role: Role
      var summary: String
      var params: String
      var result: String
    }
    var api = TallyVersion.api
    var methods: [Row]
  }

  func run() throws {
    guard let method else {
      if options.json {
        let rows = MethodTable.all.map {
          Listing.Row(name: $0.name, role: $0.role, summary: $0.summary, params: $0.params, result: $0.result)
        }
        return Output.json(Listing(methods: rows))
      }
      return Output.table(MethodTable.all.map { [$0.name, $0.role.rawValue, $0.params, $0.summary] })
    }
    if MethodTable.find(method) == nil {
      let near = Suggestion.nearest(to: method, among: MethodTable.all.map(\.name))
      throw ClientError(
        .usage, "there is no method \(method)", fix: near.map { "did you mean \($0)?" } ?? "tally api lists them")
    }
    var values: [String: APIValue] = [:]
    for param in params {
      guard let split = param.firstIndex(of: "=") else {
        throw ClientError(.usage, "'\(param)' is not NAME=VALUE", fix: "tally api lists every method's parameters")
      }
      values[String(param[..<split])] = APIValue(String(param[param.index(after: split)...]))
    }
    let client = try options.connect()
    PosixText.put(try client.raw(method, values) + [0x0a], to: 1)
  }
}

/// A parameter as a person types it.
enum APIValue: Encodable {
  case text(String)
  case flag(Bool)
  case number(Int64)

  init(_ text: String) {
    if let number = Int64(text) {
      self = .number(number)
    } else if text == "true" || text == "false" {
      self = .flag(text == "true")
    } else {
      self = .text(text)
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .text(let text): try container.encode(text)
    case .flag(let flag): try container.encode(flag)
    case .number(let number): try container.encode(number)
    }
  }
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "The version of this program, and of the daemon when one runs.")
  @OptionGroup var options: DaemonOptions

  struct Report: Encodable {
    var tally: String
    var api: String
    var daemon: String?
  }

  func run() throws {
    var report = Report(tally: TallyVersion.text, api: TallyVersion.api)
    do throws(ClientError) {
      let hello = try options.connect().call("hello", HelloParams(client: "tally"), as: HelloResult.self)
      report.daemon = "\(hello.server), api \(hello.api)"
    } catch {
      if error.code != .unavailable { throw error }
    }
    if options.json { return Output.json(report) }
    Output.line("tally \(report.tally), api \(report.api)")
    Output.line(report.daemon ?? "no daemon runs")
  }
}
