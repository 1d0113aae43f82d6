// Owns a set whose members come and go with every request. It keeps no order.
//
// A Set would do, but for V8: as members come and go, its table is replaced every few steps, and each table points to the
// one that replaced it. Once a full collection has moved a table to the old generation, the dead table keeps its
// successor alive, that one the next, and each of them what it held: until the next full collection nothing that was ever
// a member dies young, and every scavenge copies it.

/** `slot` is the roster's alone; a member of two rosters would need two. */
export type Enrolled = { slot: number }

/** What `slot` is of whoever is in no roster. */
export const nowhere = -1

export class Roster<Member extends Enrolled> {
  readonly #members: Member[] = []

  get size(): number {
    return this.#members.length
  }

  add(member: Member): void {
    member.slot = this.#members.length
    this.#members.push(member)
  }

  has(member: Member): boolean {
    return member.slot !== nowhere && this.#members[member.slot] === member
  }

  /** Whoever is not in it may be removed, too. */
  remove(member: Member): void {
    if (!this.has(member)) return
    const last = this.#members.pop() as Member
    if (last !== member) {
      last.slot = member.slot
      this.#members[member.slot] = last
    }
    member.slot = nowhere
  }

  /** As it is now: whoever is told something may leave meanwhile, and others may come. */
  all(): readonly Member[] {
    return [...this.#members]
  }

  clear(): void {
    for (const member of this.#members.splice(0)) member.slot = nowhere
  }
}
