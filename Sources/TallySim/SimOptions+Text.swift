// Owns: the text form of options, both ways: a seed's file spells out what it drew, so that a later change of the draw
// does not move it. Refuses to know: files.

extension SimOptions {
  /// `name=value`, one line.
  public var text: String {
    let fields: [(String, String)] = [
      ("seed", "\(seed)"), ("scenario", scenario.rawValue), ("hosts", "\(hosts)"),
      ("deadline-ms", "\(deadline / 1000)"), ("records", "\(recordsPerHost)"), ("loss", "\(lossPercent)"),
      ("duplicates", "\(duplicatePercent)"), ("corrupt", "\(corruptPercent)"), ("spoof", "\(spoofPercent)"),
      ("base-us", "\(baseDelay)"), ("mean-us", "\(meanDelay)"), ("bytes-per-s", "\(bandwidth)"),
      ("reset-us", "\(resetMean)"), ("chunk", "\(maxChunk)"), ("one-network", isOneNetwork ? "1" : "0"),
      ("turn-us", "\(turnDelay)"), ("commit-us", "\(commitMean)"), ("read-us", "\(readMean)"),
      ("check-us", "\(checkMean)"), ("slow-disk", "\(slowDiskPercent)"), ("wall-offset-ms", "\(wallOffsetMs)"),
      ("crashes", "\(crashes)"), ("pauses", "\(pauses)"), ("mesh-key", hasMeshKey ? "1" : "0"),
      ("mutation", mutation.rawValue),
    ]
    return fields.map { "\($0.0)=\($0.1)" }.joined(separator: " ")
  }

  /// Reads what `text` writes: seed and scenario first, then any of the others. Nil for an unknown name or value.
  public init?(text: some StringProtocol) {
    var fields: [(name: Substring, value: Substring)] = []
    for word in String(text).split(separator: " ") {
      let parts = word.split(separator: "=", maxSplits: 1)
      guard parts.count == 2 else { return nil }
      fields.append((parts[0], parts[1]))
    }
    guard fields.count >= 2, fields[0].name == "seed", let seed = UInt64(fields[0].value),
      fields[1].name == "scenario", let scenario = Scenario(rawValue: String(fields[1].value))
    else { return nil }
    self.init(seed: seed, scenario: scenario)
    for (name, value) in fields.dropFirst(2) where !set(name, String(value)) { return nil }
  }

  private mutating func set(_ name: Substring, _ value: String) -> Bool {
    if name == "mutation" {
      guard let named = Mutation(rawValue: value) else { return false }
      mutation = named
      return true
    }
    guard let number = Int64(value), number >= 0 else { return false }
    switch name {
    case "hosts": hosts = Int(number)
    case "deadline-ms": deadline = number * 1000
    case "records": recordsPerHost = Int(number)
    case "loss": lossPercent = Int(number)
    case "duplicates": duplicatePercent = Int(number)
    case "corrupt": corruptPercent = Int(number)
    case "spoof": spoofPercent = Int(number)
    case "crashes": crashes = Int(number)
    case "pauses": pauses = Int(number)
    default: return setTiming(name, number)
    }
    return true
  }

  private mutating func setTiming(_ name: Substring, _ number: Int64) -> Bool {
    switch name {
    case "base-us": baseDelay = number
    case "mean-us": meanDelay = number
    case "bytes-per-s": bandwidth = max(1, number)
    case "reset-us": resetMean = number
    case "chunk": maxChunk = max(1, Int(number))
    case "one-network": isOneNetwork = number != 0
    case "turn-us": turnDelay = number
    case "commit-us": commitMean = number
    case "read-us": readMean = number
    case "check-us": checkMean = number
    case "slow-disk": slowDiskPercent = Int(number)
    case "wall-offset-ms": wallOffsetMs = number
    case "mesh-key": hasMeshKey = number != 0
    default: return false
    }
    return true
  }
}
