// Owns: the list of benchmarks and the report. Refuses to know: what each measures.

/// All benchmarks of this process; `DaemonBench` starts others.
public enum Benchmarks {
  public static let names = ["crypto", "session", "commit", "catchup", "work", "udp"]

  /// Nil when there is no benchmark of this name.
  public static func run(_ name: String) throws -> [Figure]? {
    switch name {
    case "crypto": try CryptoBench.run()
    case "session": try SessionBench.run()
    case "commit": try LogBench.run()
    case "catchup": try LogBench.catchUp()
    case "work": try WorkBench.run()
    case "udp": try NetBench.run()
    default: nil
    }
  }

  /// One line a figure: name, number, unit, what it is made of.
  public static func text(_ figure: Figure) -> String {
    let name = figure.name + String(repeating: " ", count: max(1, 24 - figure.name.count))
    let value = String(repeating: " ", count: max(0, 10 - figure.shown.count)) + figure.shown
    return figure.note.isEmpty ? "\(name)\(value) \(figure.unit)" : "\(name)\(value) \(figure.unit)  (\(figure.note))"
  }
}
