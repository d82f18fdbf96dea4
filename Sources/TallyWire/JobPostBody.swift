// Owns: the body of `job.post` (kind 2). No words: terms, and a salted hash of the work.

import TallyBase

/// How a post names its work.
public enum WorkReference: Hashable, Sendable {
  /// SHA-256("tally/post/1" ‖ post salt ‖ work hash). Unlinkable once salt and work are deleted.
  case hidden(commitment: Digest)
  /// Salt and work hash in clear: anyone may fetch, keep and repeat the work.
  case open(salt: Bytes32, workHash: Digest)
}

/// | offset | size | field |
/// |---|---|---|
/// | 0 | 1 | rules = 1; any other: the rest is opaque |
/// | 1 | 1 | flags: bit 0 public, bit 1 agree on stdout too |
/// | 2 | 1 | agree |
/// | 3 | 8 | unit, zero-padded |
/// | 11 | 5 | most units |
/// | 16 | 4 | tasks |
/// | 20 | 4 | cpu_s |
/// | 24 | 4 | wall_s |
/// | 28 | 4 | mem_mb |
/// | 32 | 4 | disk_mb |
/// | 36 | 4 | out_mb |
/// | 40 | 2 | procs |
/// | 42 | 8 | deadline ms |
/// | 50 | 1 | n labels |
/// | 51 | Σ | n × (length u8, bytes), strictly ascending |
/// | … | 32 or 64 | commitment, or post salt and work hash |
public enum JobPostBody: Hashable, Sendable {
  case known(Terms, WorkReference)
  /// Rules that this version does not know. Kept and shown as unknown, never folded as another number.
  case unknownRules(UInt8)

  public static let rules: UInt8 = 1

  /// Unknown rules cannot be written: that is our own mistake and traps, as do terms beyond their limits.
  public func encode() -> [UInt8] {
    guard case .known(let terms, let work) = self else {
      preconditionFailure("a post with rules of another version cannot be encoded here")
    }
    precondition(terms.isWithinLimits, "terms beyond their limits: \(terms)")
    var writer = ByteWriter(capacity: 128)
    writer.u8(Self.rules)
    var flags = terms.agreeOn.rawValue << 1
    if case .open = work { flags |= 1 }
    writer.u8(flags)
    writer.u8(terms.agree)
    writer.raw(terms.unit.paddedBytes)
    writer.u40(terms.mostUnits)
    writer.u32(terms.tasks)
    Self.write(terms.resources, to: &writer)
    writer.i64(terms.deadlineMs)
    writer.u8(UInt8(terms.placement.count))
    for label in terms.placement {
      writer.u8(UInt8(label.bytes.count))
      writer.raw(label.bytes)
    }
    switch work {
    case .hidden(let commitment): writer.named(commitment)
    case .open(let salt, let workHash):
      writer.bytes32(salt)
      writer.named(workHash)
    }
    return writer.bytes
  }

  public static func decode(_ bytes: [UInt8]) throws(DecodeError) -> JobPostBody {
    var reader = ByteReader(bytes)
    let rules = try reader.u8()
    guard rules == Self.rules else { return .unknownRules(rules) }
    let flags = try reader.u8()
    guard flags <= 3, let agreeOn = AgreeOn(rawValue: flags >> 1) else { throw .notCanonical(field: "flags") }
    let agree = try reader.u8()
    guard agree > 0 else { throw .notCanonical(field: "agree") }
    guard Int(agree) <= WorkLimits.agreeMax else {
      throw .aboveLimit(field: "agree", value: Int(agree), limit: WorkLimits.agreeMax)
    }
    let unit = try UnitName(from: &reader)
    let mostUnits = try reader.u40()
    let tasks = try reader.number("tasks", 1...WorkLimits.tasksMax)
    let resources = try readResources(&reader)
    let deadline = try reader.i64()
    guard deadline >= 0 else { throw .notCanonical(field: "deadline") }
    let terms = Terms(
      agree: agree, agreeOn: agreeOn, unit: unit, mostUnits: mostUnits, tasks: tasks, resources: resources,
      deadlineMs: deadline, placement: try readPlacement(&reader))
    let work: WorkReference
    if flags & 1 == 0 {
      work = .hidden(commitment: try reader.named())
    } else {
      work = .open(salt: try reader.bytes32(), workHash: try reader.named())
    }
    try reader.finish()
    return .known(terms, work)
  }

  private static func write(_ resources: JobResources, to writer: inout ByteWriter) {
    writer.u32(resources.cpuSeconds)
    writer.u32(resources.wallSeconds)
    writer.u32(resources.memoryMebibytes)
    writer.u32(resources.diskMebibytes)
    writer.u32(resources.outputMebibytes)
    writer.u16(resources.processes)
  }

  private static func readResources(_ reader: inout ByteReader) throws(DecodeError) -> JobResources {
    let most = WorkLimits.mebibytesMax
    let resources = JobResources(
      cpuSeconds: try reader.number("cpu_s", 1...WorkLimits.secondsMax),
      wallSeconds: try reader.number("wall_s", 1...WorkLimits.secondsMax),
      memoryMebibytes: try reader.number("mem_mb", 1...most),
      diskMebibytes: try reader.number("disk_mb", 0...most),
      outputMebibytes: try reader.number("out_mb", 0...most),
      processes: try reader.u16())
    guard resources.processes > 0 else { throw .notCanonical(field: "procs") }
    return resources
  }

  private static func readPlacement(_ reader: inout ByteReader) throws(DecodeError) -> [PlacementLabel] {
    let count = Int(try reader.u8())
    guard count <= WorkLimits.labelsMax else {
      throw .aboveLimit(field: "labels", value: count, limit: WorkLimits.labelsMax)
    }
    var labels: [PlacementLabel] = []
    for _ in 0..<count {
      let bytes = try reader.take(Int(try reader.u8()))
      guard let label = PlacementLabel(bytes: bytes) else { throw .notCanonical(field: "label") }
      if let last = labels.last, last >= label { throw .notCanonical(field: "labels") }
      labels.append(label)
    }
    return labels
  }
}
