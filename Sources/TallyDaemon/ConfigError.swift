// Owns: what is wrong with a configuration, in words with a place and a fix. Exit code 78 (EX_CONFIG).

public struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
  /// `tally.toml:14`, `--listen`, `TALLY_LEND_CORES`, or a file's path.
  public let place: String
  public let why: String
  public let fix: String

  public init(_ place: String, _ why: String, fix: String = "") {
    self.place = place
    self.why = why
    self.fix = fix
  }

  public var description: String { "\(place): \(why)" }
}
