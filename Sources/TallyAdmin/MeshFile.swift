// Owns: mesh.toml: the mesh that a data directory belongs to, and the only place where mesh keys lie. DESIGN section 4.
// Refuses to know: who may be told the keys. The file is written by `tally up` and read by the daemon.
import Glibc
import TallyBase
import TallyCrypto
import TallyGossip

public struct MeshFile: Hashable, Sendable {
  /// What is wrong with the file, and what to do.
  public struct Fault: Error, Hashable, Sendable {
    public let path: String
    public let why: String
    public let fix: String

    init(_ path: String, _ why: String, fix: String) {
      self.path = path
      self.why = why
      self.fix = fix
    }
  }

  /// At most this many mesh keys, newest first.
  public static let keysMax = 3

  public let name: String
  /// 16 bytes.
  public let nonce: [UInt8]
  /// 32 bytes each, newest first; empty for an open mesh.
  public let keys: [[UInt8]]

  /// Fields outside their pattern are our own mistake and trap.
  public init(name: String, nonce: [UInt8], keys: [[UInt8]]) {
    precondition(Names.isMeshName(name), "not a mesh name: \(name)")
    precondition(nonce.count == 16 && keys.count <= Self.keysMax, "\(nonce.count) bytes, \(keys.count) keys")
    precondition(keys.allSatisfy { $0.count == 32 }, "a mesh key that is not 32 bytes")
    self.name = name
    self.nonce = nonce
    self.keys = keys
  }

  /// The mesh of an invite.
  public init(_ invite: Invite) {
    self.init(name: invite.mesh, nonce: invite.nonce, keys: invite.meshKey.map { [$0] } ?? [])
  }

  public var meshID: MeshID { Names.meshID(name: name, nonce: nonce) }
  public var isOpen: Bool { keys.isEmpty }

  /// The file's text: TOML, three keys.
  public var text: String {
    let list = keys.map { "\"\(Hex.encode($0))\"" }.joined(separator: ", ")
    return """
      # The mesh of this data directory. The keys are secrets: whoever has one can join.
      name = "\(name)"
      nonce = "\(Hex.encode(nonce))"
      keys = [\(list)]

      """
  }

  /// Reads what `text` writes; comments, blank lines and space are free.
  public init(parsing text: String, path: String) throws(Fault) {
    let damaged = "restore the file from a backup, or remove it and join again with an invite"
    var found: [String: String] = [:]
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = Self.trim(line)
      if line.isEmpty || line.hasPrefix("#") { continue }
      let parts = line.split(separator: "=", maxSplits: 1).map { Self.trim($0) }
      guard parts.count == 2, ["name", "nonce", "keys"].contains(parts[0]), found[parts[0]] == nil else {
        throw Fault(path, "line \(number + 1) is not `name = `, `nonce = ` or `keys = `, once each", fix: damaged)
      }
      found[parts[0]] = parts[1]
    }
    guard let name = found["name"].flatMap(Self.unquote), Names.isMeshName(name) else {
      throw Fault(path, "name must be a mesh's name: a-z, 0-9, '.', '-', 1 to 63 of them", fix: damaged)
    }
    guard let nonce = found["nonce"].flatMap(Self.unquote).flatMap({ Hex.decode($0) }), nonce.count == 16 else {
      throw Fault(path, "nonce must be 32 lower-case hexadecimal digits", fix: damaged)
    }
    guard let list = found["keys"], list.hasPrefix("["), list.hasSuffix("]") else {
      throw Fault(path, "keys must be a list on one line", fix: damaged)
    }
    var keys: [[UInt8]] = []
    for item in list.dropFirst().dropLast().split(separator: ",").map({ Self.trim($0) }) where !item.isEmpty {
      guard let key = Self.unquote(item).flatMap({ Hex.decode($0) }), key.count == 32 else {
        throw Fault(path, "a mesh key is 64 lower-case hexadecimal digits", fix: damaged)
      }
      keys.append(key)
    }
    guard keys.count <= Self.keysMax else {
      throw Fault(path, "\(keys.count) mesh keys, the limit is \(Self.keysMax)", fix: "keep the newest, first")
    }
    self.init(name: name, nonce: nonce, keys: keys)
  }

  private static func trim(_ text: Substring) -> String {
    let isSpace: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0 == "\r" }
    var text = text.drop(while: isSpace)
    while let last = text.last, isSpace(last) { text.removeLast() }
    return String(text)
  }

  private static func unquote(_ text: String) -> String? {
    guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
    let inner = text.dropFirst().dropLast()
    return inner.contains("\"") || inner.contains("\\") ? nil : String(inner)
  }

  /// nil when there is no such file. A file that others may read is refused.
  public static func load(_ path: String) throws(Fault) -> MeshFile? {
    let bytes: [UInt8]?
    do throws(PrivateFile.Fault) {
      bytes = try PrivateFile.readIfAny(path, isSecret: true)
    } catch {
      if error.code == EPERM && error.call == "read" {
        throw Fault(path, "others may read it, and it holds the mesh key", fix: "chmod 600 \(path)")
      }
      throw Fault(path, error.description, fix: "make it readable for this user")
    }
    guard let bytes else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Fault(path, "it is not UTF-8", fix: "restore the file from a backup")
    }
    return try MeshFile(parsing: text, path: path)
  }

  /// Replaces the file, 0600.
  public func save(_ path: String) throws(Fault) {
    do throws(PrivateFile.Fault) {
      try PrivateFile.write(Array(text.utf8), to: path, mode: 0o600)
    } catch {
      throw Fault(path, error.description, fix: "make room, or make the directory writable for this user")
    }
  }
}
