// Owns: the block of capabilities that a record names by digest and that travels beside it in MEMBERS and RECORD.
// Refuses to know: what a worker does with them, and the hash (callers compare it with the record's).

import TallyBase

/// Which roots a host runs jobs in (DESIGN, section 10).
public enum RootsPolicy: UInt8, Sendable, CaseIterable {
  case made = 0
  case vouched = 1
  case any = 2
}

/// The instruction set of a host's machine.
public enum Architecture: UInt8, Sendable, CaseIterable {
  case other = 0
  case x8664 = 1
  case aarch64 = 2

  /// As `uname -m` spells it.
  public var name: String {
    switch self {
    case .other: "other"
    case .x8664: "x86_64"
    case .aarch64: "aarch64"
    }
  }
}

/// ```
/// offset size field
///      0    1 version, 1
///      1    1 wire version that the host speaks, 1
///      2    1 architecture: 0 other, 1 x86_64, 2 aarch64
///      3    1 bit 0: lends; bits 1–2: roots policy 0 made, 1 vouched, 2 any; bit 3: native sandbox works;
///             bit 4: WASM runner works; bits 5–7: 0
///      4    2 cores u16
///      6    4 memory u32, MiB
///     10    1 petname length n, 0…32
///     11    n petname proposal: "" or [a-z0-9][a-z0-9.-]*
///   11+n    … extensions, ascending by number: number u8 · length u8 · bytes; kept and relayed unread
/// ```
/// At most 256 bytes in all.
public struct Attributes: Hashable, Sendable {
  public static let byteCountMax = 256
  public static let petnameByteCountMax = 32
  static let version: UInt8 = 1
  public static let wireVersion: UInt8 = 1

  public struct Extension: Hashable, Sendable {
    public let number: UInt8
    public let bytes: [UInt8]
    public init(number: UInt8, bytes: [UInt8]) {
      self.number = number
      self.bytes = bytes
    }
  }

  public let wireVersion: UInt8
  public let architecture: Architecture
  public let lends: Bool
  public let roots: RootsPolicy
  public let nativeSandbox: Bool
  public let wasmSandbox: Bool
  public let cores: UInt16
  public let memoryMiB: UInt32
  /// What the host would like to be called; empty: nothing. The reader's own name wins.
  public let petname: String
  public let extensions: [Extension]

  /// A petname outside its pattern is our own mistake and traps: check with `isPetname` first.
  public init(
    petname: String = "", architecture: Architecture = .other, cores: UInt16 = 0, memoryMiB: UInt32 = 0,
    lends: Bool = false, roots: RootsPolicy = .made, nativeSandbox: Bool = false, wasmSandbox: Bool = false,
    wireVersion: UInt8 = Attributes.wireVersion, extensions: [Extension] = []
  ) {
    precondition(petname.isEmpty || Self.isPetname(petname), "petname \(petname)")
    self.wireVersion = wireVersion
    self.architecture = architecture
    self.lends = lends
    self.roots = roots
    self.nativeSandbox = nativeSandbox
    self.wasmSandbox = wasmSandbox
    self.cores = cores
    self.memoryMiB = memoryMiB
    self.petname = petname
    self.extensions = extensions
    precondition(encoded.count <= Self.byteCountMax, "attribute block of \(encoded.count) bytes")
  }

  /// 1 to 32 of a–z, 0–9, '.', '-', not beginning with a mark: safe in a terminal, a path and a command line.
  public static func isPetname(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = bytes.first, bytes.count <= petnameByteCountMax, isLetterOrDigit(first) else { return false }
    return bytes.allSatisfy { isLetterOrDigit($0) || $0 == 0x2e || $0 == 0x2d }
  }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
  }

  public init(decoding bytes: [UInt8]) throws(DecodeError) {
    guard bytes.count <= Self.byteCountMax else {
      throw .aboveLimit(field: "attribute block", value: bytes.count, limit: Self.byteCountMax)
    }
    var reader = ByteReader(bytes)
    let version = try reader.u8()
    guard version == Self.version else { throw .unknown(field: "attributes version", value: Int(version)) }
    wireVersion = try reader.u8()
    // An architecture newer than this version knows is one that no job of ours can ask for.
    architecture = Architecture(rawValue: try reader.u8()) ?? .other
    let flags = try reader.u8()
    guard flags >> 5 == 0, let roots = RootsPolicy(rawValue: flags >> 1 & 3) else {
      throw .notCanonical(field: "attribute flags")
    }
    self.roots = roots
    lends = flags & 1 != 0
    nativeSandbox = flags & 8 != 0
    wasmSandbox = flags & 16 != 0
    cores = try reader.u16()
    memoryMiB = try reader.u32()
    let nameBytes = try reader.take(Int(try reader.u8()))
    let name = String(decoding: nameBytes, as: UTF8.self)
    guard name.isEmpty || Self.isPetname(name) else { throw .notCanonical(field: "petname") }
    petname = name
    var extensions: [Extension] = []
    while !reader.isAtEnd {
      let number = try reader.u8()
      if let last = extensions.last, last.number >= number { throw .notCanonical(field: "attribute extensions") }
      extensions.append(Extension(number: number, bytes: try reader.take(Int(try reader.u8()))))
    }
    self.extensions = extensions
  }

  public var encoded: [UInt8] {
    var writer = ByteWriter(capacity: 48)
    writer.u8(Self.version)
    writer.u8(wireVersion)
    writer.u8(architecture.rawValue)
    writer.u8(
      (lends ? 1 : 0) | roots.rawValue << 1 | (nativeSandbox ? 8 : 0) | (wasmSandbox ? 16 : 0))
    writer.u16(cores)
    writer.u32(memoryMiB)
    writer.u8(UInt8(petname.utf8.count))
    writer.raw(Array(petname.utf8))
    for field in extensions {
      precondition(field.bytes.count <= 255, "attribute extension of \(field.bytes.count) bytes")
      writer.u8(field.number)
      writer.u8(UInt8(field.bytes.count))
      writer.raw(field.bytes)
    }
    return writer.bytes
  }
}
