// Owns: the short half of fuzzing, at every push: the kept inputs, and a fixed number of new ones for each target.
// `tally-fuzz run` is the long half.
import TallyFuzz
import Testing

struct FuzzTests {
  /// Inputs for each target: cheap decoders many, worlds with handshakes few.
  static func iterations(_ target: String) -> Int {
    switch target {
    case "node", "sessions", "link-frames": 60
    case "receipt", "note", "tlog-proof", "manifest", "tree", "work", "invite", "verifier-key": 400
    default: 1500
    }
  }

  @Test(arguments: FuzzTargets.all.map(\.name))
  func a_target_holds_on_its_corpus_and_on_new_inputs(_ name: String) throws {
    let target = try #require(FuzzTargets.find(name))
    let folder = CorpusFolder.ofRepository
    for (file, bytes) in try folder.inputs(name) {
      if case .violated(let what) = target.check(bytes) { Issue.record("\(name)/\(file): \(what)") }
    }
    var run = FuzzRun(target, corpus: try folder.pool(for: target), seed: 7)
    while run.iterations < Self.iterations(name) {
      let input = run.next()
      if let what = run.attempt(input) {
        Issue.record("\(name), seed 7, iteration \(run.iterations): \(what): \(input.prefix(400))")
        return
      }
    }
    #expect(run.signatures.count > 1, "every input went the same way")
  }

  @Test func every_decoder_accepts_something_of_the_golden_frames_or_its_samples() throws {
    for target in FuzzTargets.all {
      let pool = try target.seeds() + CorpusFolder.ofRepository.pool(for: target)
      let isAccepted = pool.contains { if case .accepted = target.check($0) { true } else { false } }
      #expect(isAccepted, "\(target.name) begins with nothing that it accepts")
    }
  }

  @Test func one_seed_gives_one_run() throws {
    let target = try #require(FuzzTargets.find("message"))
    let pool = try CorpusFolder.ofRepository.pool(for: target)
    var one = FuzzRun(target, corpus: pool, seed: 3)
    var other = FuzzRun(target, corpus: pool, seed: 3)
    for _ in 0..<300 {
      let input = one.next()
      #expect(input == other.next())
      #expect(one.attempt(input) == other.attempt(input))
    }
  }

  /// The tester tested: a target that is wrong must be found out.
  @Test func a_decoder_with_two_encodings_is_found() throws {
    var run = FuzzRun(FuzzTargets.canary, corpus: [], seed: 1)
    var found: String?
    while found == nil && run.iterations < 5000 { found = run.attempt(run.next()) }
    #expect(found != nil)
  }

  @Test func a_shorter_input_has_the_same_outcome() throws {
    let target = try #require(FuzzTargets.find("strict-json"))
    let input = Array(#"{"a": [1, 2, 3], "b": "xxxxxxxxxxxxxxxxxxxxxxxxxxx"}"#.utf8)
    let short = FuzzRun.shorten(input, target)
    #expect(short.count < input.count)
    #expect(target.check(short) == target.check(input))
  }
}
