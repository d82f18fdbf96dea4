// Owns: what all verbs share: which daemon, JSON or not, and how a connection is made.
import ArgumentParser
import FoundationEssentials
import TallyAdmin

struct DataOption: ParsableArguments {
  @Option(help: "The data directory; default: $TALLY_HOME, $XDG_STATE_HOME/tally or ~/.local/state/tally.")
  var data: String?

  func layout() throws(ClientError) -> DataLayout {
    if let data {
      // A detached daemon runs elsewhere: its paths must not depend on where we are.
      let here = FileManager.default.currentDirectoryPath
      return DataLayout(directory: data.hasPrefix("/") ? data : "\(here)/\(data)")
    }
    guard let layout = DataLayout.standard(PosixText.variable) else {
      throw ClientError(.usage, "nobody says where the data directory is", fix: "give --data DIR, or set HOME")
    }
    return layout
  }
}

struct DaemonOptions: ParsableArguments {
  @OptionGroup var data: DataOption
  @Option(help: "The daemon's socket; default: $TALLY_SOCKET, else admin.sock in the data directory.")
  var socket: String?
  @Flag(help: "Print one JSON object.")
  var json = false

  var path: String {
    get throws(ClientError) {
      if let socket { return socket }
      if data.data == nil, let socket = PosixText.variable("TALLY_SOCKET"), !socket.isEmpty { return socket }
      return try data.layout().adminSocket
    }
  }

  func connect() throws(ClientError) -> AdminClient { try AdminClient(path: path) }
}

/// What goes to standard output: data, never messages.
enum Output {
  static func line(_ text: String) { PosixText.put(text + "\n", to: 1) }

  /// Messages for people.
  static func note(_ text: String) { PosixText.put(text + "\n", to: 2) }

  static func json(_ value: some Encodable) { PosixText.put(AdminJSON.encode(value) + [0x0a], to: 1) }

  /// Columns as wide as their widest cell; nothing behind the last.
  static func table(_ rows: [[String]]) {
    var widths: [Int] = []
    for row in rows {
      for (place, cell) in row.enumerated() {
        if place == widths.count { widths.append(0) }
        widths[place] = max(widths[place], cell.count)
      }
    }
    for row in rows {
      var text = ""
      for (place, cell) in row.enumerated() {
        let fill = place == row.count - 1 ? 0 : widths[place] - cell.count + 2
        text += printable(cell) + String(repeating: " ", count: fill)
      }
      line(text)
    }
  }

  /// Words of others, without what moves a terminal's cursor.
  static func printable(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
      let isControl = scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
      shown.unicodeScalars.append(isControl ? "?" : scalar)
    }
    return shown
  }

  /// An ID as people see it; any unique prefix is accepted back.
  static func short(_ id: String) -> String { String(id.prefix(10)) }

  static func size(_ bytes: UInt64) -> String {
    switch bytes {
    case ..<1024: "\(bytes) B"
    case ..<(1 << 20): "\(bytes >> 10) KiB"
    case ..<(1 << 30): "\(bytes >> 20) MiB"
    default: "\(bytes >> 30) GiB"
    }
  }

  /// `2026-11-22 10:42:01` in UTC.
  static func time(ms: Int64) -> String {
    let seconds = ms >= 0 ? ms / 1000 : 0
    let day = seconds / 86_400
    let rest = seconds % 86_400
    // Howard Hinnant's days-to-civil, for years from 1970 on.
    let z = day + 719_468
    let era = z / 146_097
    let dayOfEra = z % 146_097
    let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
    let shifted = (5 * dayOfYear + 2) / 153
    let month = shifted < 10 ? shifted + 3 : shifted - 9
    let date = dayOfYear - (153 * shifted + 2) / 5 + 1
    let two = { (value: Int64) in value < 10 ? "0\(value)" : "\(value)" }
    return "\(year + era * 400 + (month <= 2 ? 1 : 0))-\(two(month))-\(two(date)) "
      + "\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))"
  }
}
