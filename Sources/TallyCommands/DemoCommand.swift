// Owns: `tally demo`: its words and its result.
import ArgumentParser
import TallyAdmin

struct DemoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "demo", abstract: "stub")
  func run() throws {}
}
