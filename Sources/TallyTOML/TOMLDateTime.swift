// Owns: a date-time of a document: its kind and its text, checked but not calculated with. TOML 1.0.0, RFC 3339.

public struct TOMLDateTime: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// A moment: date, time and offset from UTC.
    case offsetDateTime
    /// Date and time on somebody's wall.
    case localDateTime
    case localDate
    case localTime
  }

  public let kind: Kind
  /// As it stands in the document: `1979-05-27 07:32:00.5Z`. Every part is within its range, a month's days included.
  public let text: String
}
