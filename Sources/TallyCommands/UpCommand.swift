// Owns: `tally up`: from nothing to a running host, in one command that may be repeated. DESIGN sections 4 and 12.
import ArgumentParser
import FoundationEssentials
import Glibc
import TallyAdmin
import TallyCrypto
import TallyGossip
import TallyWorker

struct UpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Start this host: the first of a new mesh, or one that joins.",
    discussion: """
      Makes the data directory, the mesh (closed, with a new key) and the configuration when they are not there, and
      starts the daemon and the worker. Nothing is lent until `tally lend`. Running it again does no harm.
      """)

  @OptionGroup var data: DataOption
  @Option(help: "An invite (tally://…), a file that holds one, or - for standard input.")
  var join: String?
  @Option(help: "The name of a new mesh.")
  var mesh: String?
  @Flag(help: "A new mesh gets no key: everybody may join who finds it.")
  var open = false
  @Option(help: "The name that this host proposes for itself.")
  var name: String?
  @Option(help: "An address for UDP and TCP; may be given again.")
  var listen: [String] = []
  @Option(help: "An address that others are told; may be given again.")
  var advertise: [String] = []
  @Flag(help: "Stay here until SIGINT or SIGTERM, and print the logs.")
  var foreground = false
  @Flag(help: "Start no worker.")
  var noWorker = false
  @Flag(help: "Print one JSON object.")
  var json = false

  struct Report: Encodable {
    var name: String
    var key: String
    var mesh: String
    var data: String
    var alreadyUp: Bool
    var lending: String
    var invite: String?
  }

  func run() throws {
    let layout = try data.layout()
    let invite = try join.map { (text) throws(ClientError) in try Self.invite(text) }
    var setup = HostSetup(layout: layout, name: name, listen: listen, advertise: advertise)
    if let client = try running(layout) {
      try setup.checkMesh(invite)
      if let invite { _ = try client.call("join", JoinParams(url: invite.url), as: Done.self) }
      return try report(client, layout, alreadyUp: true)
    }
    let isNew = try setup.prepareDirectory()
    try setup.prepareMesh(invite, name: mesh, isOpen: open)
    try setup.prepareConfig(invite, isNew: isNew)
    let daemon = try HostProcesses.startDaemon(layout, flags: setup.flags, foreground: foreground)
    var worker: Int32?
    if !noWorker { worker = try HostProcesses.startWorker(layout, foreground: foreground) }
    let client = try AdminClient(path: adminSocket(layout))
    try report(client, layout, alreadyUp: false)
    if foreground { throw ExitCode(HostProcesses.attend(daemon: daemon, worker: worker)) }
  }

  private func adminSocket(_ layout: DataLayout) -> String { layout.adminSocket }

  private func running(_ layout: DataLayout) throws(ClientError) -> AdminClient? {
    do throws(ClientError) {
      return try AdminClient(path: adminSocket(layout))
    } catch {
      if error.code == .unavailable { return nil }
      throw error
    }
  }

  static func invite(_ text: String) throws(ClientError) -> Invite {
    var url = text
    if text == "-" {
      url = String(decoding: Spawn.readAll(0), as: UTF8.self)
    } else if !text.hasPrefix("tally:") {
      guard PosixFile.exists(text) else {
        throw ClientError(
          .usage, "--join wants an invite, a file that holds one, or -", why: "there is no file '\(text)'",
          fix: "`tally invite` on a host of the mesh prints one")
      }
      url = String(decoding: try PosixFile.read(text), as: UTF8.self)
    }
    do throws(InviteError) { return try Invite(parsing: url) } catch {
      throw ClientError(
        .usage, "the invite cannot be read: \(error.sentence)", fix: "copy it whole; `tally invite` prints it")
    }
  }

  private func report(_ client: AdminClient, _ layout: DataLayout, alreadyUp: Bool) throws(ClientError) {
    let status = try client.call("status", as: StatusResult.self)
    var url: String?
    var noInvite = ""
    do throws(ClientError) {
      url = try client.call("invite", InviteParams(), as: InviteResult.self).url
    } catch {
      noInvite = error.what
    }
    if json {
      Output.json(
        Report(
          name: status.name, key: status.key, mesh: status.mesh, data: layout.directory, alreadyUp: alreadyUp,
          lending: status.lending, invite: url))
      return
    }
    Output.note("\(status.name) is \(alreadyUp ? "already " : "")up in mesh \(status.mesh) (\(layout.directory)).")
    Output.note(Self.sentence(status.lending))
    if let url {
      Output.note("Another host joins with the line below. It holds the mesh's key: treat it as a secret.")
      Output.line("tally up --join '\(url)'")
    } else {
      Output.note("No invite yet: \(noInvite)")
    }
  }

  private static func sentence(_ lending: String) -> String {
    let isNothing = lending.isEmpty || lending.lowercased().contains("nothing")
    return isNothing ? "Nothing is lent: nobody's jobs run here until `tally lend` and `tally trust NAME`." : lending
  }
}

struct DownCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down", abstract: "Stop this host's daemon and worker. Nothing is lost.")

  @OptionGroup var options: DaemonOptions

  struct Report: Encodable {
    var wasUp: Bool
    var workerWasUp: Bool
  }

  func run() throws {
    let layout = try options.data.layout()
    var report = Report(wasUp: false, workerWasUp: false)
    do throws(ClientError) {
      let client = try options.connect()
      _ = try client.call("shutdown", as: Done.self)
      report.wasUp = true
    } catch {
      if error.code != .unavailable { throw error }
    }
    report.workerWasUp = try HostProcesses.stopWorker(layout)
    if report.wasUp && options.socket == nil { try HostProcesses.waitForEnd(layout) }
    if options.json { return Output.json(report) }
    Output.note(report.wasUp ? "down" : "it was not up")
  }
}

struct InviteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "invite", abstract: "Print a URL with which another host joins. It holds the mesh's key.")

  @OptionGroup var options: DaemonOptions
  @Option(help: "The address or name under which the other host reaches this one.")
  var host: String?

  func run() throws {
    let invite = try options.connect().call("invite", InviteParams(host: host), as: InviteResult.self)
    options.json ? Output.json(invite) : Output.line(invite.url)
  }
}
