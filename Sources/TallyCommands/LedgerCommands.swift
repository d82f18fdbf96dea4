// Owns: the verbs about the ledger: records, feeds, clock, checkpoints, balances.
import ArgumentParser
import FoundationEssentials
import TallyAdmin

struct RecordCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record",
    abstract: "Write a signed record. The ledger gets a salted hash; the words stay on this host.")
  @OptionGroup var options: DaemonOptions
  @Option(help: "The words from a file; - for standard input.")
  var file: String?
  @Flag(name: .customLong("public"), help: "Everybody may link the record to its words: no salt.")
  var isPublic = false
  @Option(help: "durable: it is stored. released: others may know it.")
  var wait = "durable"
  @Argument(help: "The words.")
  var words: [String] = []

  func validate() throws {
    if file == nil && words.isEmpty { throw ValidationError("what is to be recorded? tally record WORDS…") }
    if file != nil && !words.isEmpty { throw ValidationError("--file and words exclude each other") }
  }

  func run() throws {
    var bytes = Array(words.joined(separator: " ").utf8)
    if let file { bytes = file == "-" ? Spawn.readAll(0) : try PosixFile.read(file) }
    let params = RecordParams(words: bytes, isPublic: isPublic, wait: wait)
    let record = try options.connect().call("record.put", params, as: RecordResult.self)
    if options.json { return Output.json(record) }
    Output.line("\(record.id)")
    Output.note(
      "entry \(record.index) of feed \(Output.short(record.feed)): durable"
        + (record.released ? ", released to others" : ", not yet released to others"))
  }
}

struct RecordsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "records", abstract: "List the records in the ledger, newest last.")
  @OptionGroup var options: DaemonOptions
  @Option(help: "How many.")
  var last = 20

  func run() throws {
    let result = try options.connect().call("records", LastParams(last: last), as: RecordsResult.self)
    if options.json { return Output.json(result) }
    Output.table(
      result.records.map {
        [Output.short($0.id), Output.time(ms: $0.timeMs), $0.author, "entry \($0.index) of \(Output.short($0.feed))"]
      })
  }
}

struct BalanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "balance", abstract: "Who owes whom how much: a sum over accepted claims. Equal clocks, equal sums.")
  @OptionGroup var options: DaemonOptions

  func run() throws {
    let result = try options.connect().call("balance", as: BalanceResult.self)
    if options.json { return Output.json(result) }
    Output.table(result.balances.map { [$0.debtor, "owes", $0.creditor, "\($0.amount) \($0.unit)"] })
    Output.note("at clock \(Output.short(result.clockDigest))")
  }
}

struct LedgerCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ledger", abstract: "Every feed held here; with a feed, its entries.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A feed's ID or prefix, or a host: its newest feed.")
  var feed: String?
  @Option(help: "From this entry on.")
  var from: UInt64?
  @Option(help: "Before this entry.")
  var to: UInt64?

  func run() throws {
    let client = try options.connect()
    if let feed {
      let params = EntriesParams(feed: feed, from: from, to: to)
      let result = try client.call("ledger.entries", params, as: EntriesResult.self)
      if options.json { return Output.json(result) }
      return Output.table(
        result.entries.map {
          ["\($0.index)", Output.short($0.id), Output.time(ms: $0.timeMs), $0.kind, "leaf \(Output.short($0.leaf))"]
        })
    }
    let result = try client.call("ledger", as: LedgerResult.self)
    if options.json { return Output.json(result) }
    Output.table(
      result.feeds.map { feed in
        let fork = feed.forkIndex.map { "FORKED at \($0)" } ?? ""
        let own = feed.own ? "own" : feed.continued ? "continued" : ""
        let root = "root \(Output.short(feed.root))"
        return [Output.short(feed.feed), feed.name, "\(feed.size) entries", root, own, fork]
      })
    Output.note("\(result.entries) entries, clock \(Output.short(result.clockDigest))")
  }
}

struct ClockCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "clock", abstract: "The vector clock: every feed's size and root.")
  @OptionGroup var options: DaemonOptions

  func run() throws {
    let clock = try options.connect().call("clock", as: ClockResult.self)
    if options.json { return Output.json(clock) }
    Output.table(
      clock.lines.map {
        [Output.short($0.feed), $0.name, "\($0.size)", $0.root, $0.forkIndex.map { "forked at \($0)" } ?? ""]
      })
    Output.note("digest \(clock.digest)")
  }
}

struct CheckpointCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint", abstract: "Print a feed's head as a C2SP signed note, and its verifier key.")
  @OptionGroup var options: DaemonOptions
  @Argument(help: "A feed's ID or prefix, or a host; default: the own feed.")
  var feed: String?

  func run() throws {
    let result = try options.connect().call("checkpoint", FeedParams(feed: feed), as: CheckpointResult.self)
    if options.json { return Output.json(result) }
    PosixText.put(result.note, to: 1)
    Output.note("verifier key: \(result.vkey)")
  }
}
