// Owns the error that a command foresaw: said in one line, without a stack, with the exit code of INTERFACE.

export class CommandError extends Error {
  readonly exitCode: number

  constructor(message: string, exitCode: number) {
    super(message)
    this.exitCode = exitCode
  }
}
