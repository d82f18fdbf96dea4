// Owns: the terms of a job, as far as the node needs them: how often, within which limits, for how much.
// Refuses to know: the work itself. DESIGN section 10.

import TallyBase

/// What a job may use. All are ceilings; a worker that cannot hold one refuses.
public struct JobResources: Hashable, Sendable {
  /// CPU seconds of all processes together, 1 … one year.
  public var cpuSeconds: UInt32
  /// Seconds on the clock, 1 … one year.
  public var wallSeconds: UInt32
  /// MiB of memory, 1 … 16 Ti.
  public var memoryMebibytes: UInt32
  /// MiB below /build and /tmp.
  public var diskMebibytes: UInt32
  /// MiB below /out, with stdout and stderr.
  public var outputMebibytes: UInt32
  /// Processes and threads, 1 or more.
  public var processes: UInt16

  public init(
    cpuSeconds: UInt32 = 3600, wallSeconds: UInt32 = 3600, memoryMebibytes: UInt32 = 1024,
    diskMebibytes: UInt32 = 1024, outputMebibytes: UInt32 = 256, processes: UInt16 = 128
  ) {
    self.cpuSeconds = cpuSeconds
    self.wallSeconds = wallSeconds
    self.memoryMebibytes = memoryMebibytes
    self.diskMebibytes = diskMebibytes
    self.outputMebibytes = outputMebibytes
    self.processes = processes
  }

  var isWithinLimits: Bool {
    let seconds = 1...WorkLimits.secondsMax
    let most = WorkLimits.mebibytesMax
    return seconds.contains(cpuSeconds) && seconds.contains(wallSeconds) && (1...most).contains(memoryMebibytes)
      && diskMebibytes <= most && outputMebibytes <= most && processes > 0
  }
}

/// What must be equal for two results to agree.
public enum AgreeOn: UInt8, Hashable, Sendable {
  /// Files below /out and the exit code.
  case outputs = 0
  /// Standard output as well.
  case outputsAndStdout = 1
}

/// The terms in a `job.post` whose rules are known (rules number 1).
public struct Terms: Hashable, Sendable {
  /// How many workers must agree, 1 … 32.
  public var agree: UInt8
  public var agreeOn: AgreeOn
  public var unit: UnitName
  /// The most that one claim may be paid, below 2^40.
  public var mostUnits: UInt64
  /// Tasks of this post, 1 … 1,000,000.
  public var tasks: UInt32
  public var resources: JobResources
  /// Milliseconds since 1970; 0 is none. Shown and used by schedulers; the fold never expires anything.
  public var deadlineMs: Int64
  /// Strictly ascending, at most 8.
  public var placement: [PlacementLabel]

  public init(
    agree: UInt8 = 1, agreeOn: AgreeOn = .outputs, unit: UnitName = .cpuSeconds, mostUnits: UInt64,
    tasks: UInt32 = 1, resources: JobResources = JobResources(), deadlineMs: Int64 = 0,
    placement: [PlacementLabel] = []
  ) {
    self.agree = agree
    self.agreeOn = agreeOn
    self.unit = unit
    self.mostUnits = mostUnits
    self.tasks = tasks
    self.resources = resources
    self.deadlineMs = deadlineMs
    self.placement = placement
  }

  /// True when these terms have an encoding. Whoever takes terms from a user asks this first.
  public var isWithinLimits: Bool {
    (1...WorkLimits.agreeMax).contains(Int(agree)) && mostUnits < WorkLimits.amountEnd
      && (1...WorkLimits.tasksMax).contains(tasks) && resources.isWithinLimits && deadlineMs >= 0
      && placement.count <= WorkLimits.labelsMax && zip(placement, placement.dropFirst()).allSatisfy(<)
  }
}
