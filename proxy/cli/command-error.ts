// Owns the error that a command foresaw: said in one line, without a stack, with the exit code that scripts rely on.

export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}
