// Owns: the files of a new host: data directory, mesh.toml, tally.toml. What is there already stays as it is.
import Glibc
import TallyAdmin
import TallyCrypto
import TallyGossip

struct HostSetup {
  let layout: DataLayout
  let name: String?
  let listen: [String]
  let advertise: [String]

  /// What the daemon is told on its command line this time.
  var flags: [String] {
    var flags: [String] = []
    for address in listen { flags += ["--listen", address] }
    for address in advertise { flags += ["--advertise", address] }
    if let name { flags += ["--name", name] }
    return flags
  }

  /// True when there is no configuration yet.
  mutating func prepareDirectory() throws(ClientError) -> Bool {
    do throws(PrivateFile.Fault) {
      try PrivateFile.makeDirectories(layout.directory)
      return try PrivateFile.readIfAny(layout.config) == nil
    } catch {
      throw ClientError(
        .cannotCreate, "cannot make \(layout.directory)", why: error.description, fix: "give --data DIR")
    }
  }

  private func load() throws(ClientError) -> MeshFile? {
    do throws(MeshFile.Fault) { return try MeshFile.load(layout.mesh) } catch {
      throw ClientError(.config, "\(error.path): \(error.why)", fix: error.fix)
    }
  }

  /// An invite for another mesh than this directory's is refused.
  func checkMesh(_ invite: Invite?) throws(ClientError) {
    guard let invite, let mesh = try load(), mesh.meshID != invite.meshID else { return }
    throw ClientError(
      .config, "\(layout.directory) belongs to the mesh \(mesh.name), the invite is for another (\(invite.mesh))",
      why: "a data directory is one host of one mesh; its ledger cannot move", fix: "tally up --data DIR --join URL")
  }

  func prepareMesh(_ invite: Invite?, name: String?, isOpen: Bool) throws(ClientError) {
    try checkMesh(invite)
    if let mesh = try load() {
      guard let key = invite?.meshKey, !mesh.keys.contains(key) else { return }
      // A newer key of the same mesh: kept beside the older ones.
      return try save(
        MeshFile(name: mesh.name, nonce: mesh.nonce, keys: [key] + mesh.keys.prefix(MeshFile.keysMax - 1)))
    }
    if let invite { return try save(MeshFile(invite)) }
    let name = name ?? "tally"
    guard Names.isMeshName(name) else {
      throw ClientError(.usage, "'\(name)' cannot be a mesh's name", fix: "use a-z, 0-9, '.', '-', 1 to 63 of them")
    }
    let keys = isOpen ? [] : [try Spawn.random(32)]
    try save(MeshFile(name: name, nonce: try Spawn.random(16), keys: keys))
  }

  private func save(_ mesh: MeshFile) throws(ClientError) {
    do throws(MeshFile.Fault) { try mesh.save(layout.mesh) } catch {
      throw ClientError(.cannotCreate, "cannot write \(error.path)", why: error.why, fix: error.fix)
    }
  }

  /// Writes tally.toml once. The seed stands in it without the mesh key, which lies in mesh.toml alone.
  func prepareConfig(_ invite: Invite?, isNew: Bool) throws(ClientError) {
    let seed = invite.map {
      Invite(
        key: $0.key, host: $0.host, port: $0.port, mesh: $0.mesh, nonce: $0.nonce, token: $0.token, meshKey: nil
      ).url
    }
    var text = Self.text(name: name, listen: listen, advertise: advertise, seed: seed)
    if !isNew {
      guard let seed else { return }
      text = try read()
      if text.contains(seed) { return }
      if text.split(separator: "\n").contains(where: { $0.hasPrefix("[join]") }) {
        throw ClientError(
          .config, "\(layout.config) has a [join] section already", why: "it was written by hand, or joined before",
          fix: "add \"\(seed)\" to its seeds")
      }
      text += "\n[join]\nseeds = [\"\(seed)\"]\n"
    }
    do throws(PrivateFile.Fault) {
      try PrivateFile.write(Array(text.utf8), to: layout.config, mode: 0o600)
    } catch {
      throw ClientError(.cannotCreate, "cannot write \(layout.config)", why: error.description)
    }
  }

  private func read() throws(ClientError) -> String {
    do throws(PrivateFile.Fault) {
      return String(decoding: try PrivateFile.readIfAny(layout.config) ?? [], as: UTF8.self)
    } catch {
      throw ClientError(.config, "cannot read \(layout.config)", why: error.description)
    }
  }

  static func text(name: String?, listen: [String], advertise: [String], seed: String?) -> String {
    let list = { (items: [String]) in "[" + items.map { "\"\($0)\"" }.joined(separator: ", ") + "]" }
    var text = "# Written once by `tally up`; edit as you like. `tally api` and PROTOCOL.md name every setting.\n"
    if let name { text += "\n[node]\nname = \"\(name)\"\n" }
    if !listen.isEmpty { text += "\n[listen]\nat = \(list(listen))\n" }
    if !advertise.isEmpty { text += "\n[advertise]\nat = \(list(advertise))\n" }
    if let seed { text += "\n[join]\nseeds = \(list([seed]))\n" }
    return text
  }
}
