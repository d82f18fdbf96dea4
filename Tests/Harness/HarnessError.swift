// Owns: why a test over real processes could not go on, in words. Refuses to know: which test.

/// One text; the tail of the daemons' logs is added where a test ends.
public struct HarnessError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// Throws unless `condition` holds.
public func demand(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  if !condition { throw HarnessError(what()) }
}

/// The value, or an error that says what is missing.
public func demand<Value>(_ value: Value?, _ what: @autoclosure () -> String) throws -> Value {
  guard let value else { throw HarnessError(what()) }
  return value
}
