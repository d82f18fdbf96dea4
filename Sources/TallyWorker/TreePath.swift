// Owns: the rule for a path inside a tree: relative, of plain names, within limits. The same rule for what is read from
// archives, from tree texts and from work.

/// A relative path as its names, each neither empty, `.`, `..`, nor with `/` or NUL in it.
public struct TreePath: Hashable, Sendable {
  public let names: [[UInt8]]

  /// nil when `bytes` are not such a path. Nothing is repaired.
  public init?(_ bytes: [UInt8]) {
    guard !bytes.isEmpty, bytes.count <= WorkerLimits.pathBytesMax else { return nil }
    let names = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
    guard names.allSatisfy({ Self.isPlain($0) }), names.count <= WorkerLimits.depthMax else { return nil }
    self.names = names
  }

  /// Whether `name` can be one name of a path.
  public static func isPlain(_ name: [UInt8]) -> Bool {
    !name.isEmpty && name.count <= WorkerLimits.nameBytesMax && name != [0x2e] && name != [0x2e, 0x2e]
      && !name.contains(0) && !name.contains(UInt8(ascii: "/"))
  }

  public var bytes: [UInt8] { Array(names.joined(separator: [UInt8(ascii: "/")])) }
}
