// Owns the condition `from`: the client's address in a range.
import ipaddr from 'ipaddr.js'
import { actionTypes } from '../actions.ts'
import { groupsOf, type Address } from '../facts.ts'
import type { Matcher } from '../matcher.ts'
import { quoteAll } from './patterns.ts'

/** An address is in a block when, under the mask, it has the same bits. */
type Block = { readonly bits: Address; readonly mask: Address }

export const from: Matcher<'from'> = {
  key: 'from',
  actions: actionTypes,
  compile(ranges, context) {
    const blocks: Block[] = []
    ranges.forEach((range, index) => {
      const block = parseBlock(range)
      if (block === undefined)
        return context.report([index], `"${range}" is not an address or a CIDR range`, {
          hint: 'for example 10.0.0.0/8',
        })
      blocks.push(block)
    })
    return {
      reads: ['client'],
      test(facts) {
        const { address } = facts
        if (address === null) return facts.unknown("the client's address is unknown")
        return blocks.some((block) => inBlock(address, block))
      },
      describe: (facts) => `client ${facts.query.client.ip} against ${quoteAll(ranges)}`,
    }
  },
}

/** An IPv4 range written as IPv6 is the IPv4 range, because addresses are read that way too. */
function parseBlock(text: string): Block | undefined {
  // Strict: 10.0.0 and 0177.0.0.1 mean different things to different readers.
  const [written = ''] = text.split('/')
  if (!ipaddr.IPv4.isValidFourPartDecimal(written) && !ipaddr.IPv6.isValid(written)) return undefined
  if (!ipaddr.isValid(text) && !ipaddr.isValidCIDR(text)) return undefined
  if (!text.includes('/')) {
    const address = ipaddr.process(text)
    return blockOf(address, address.kind() === 'ipv4' ? 32 : 128)
  }
  const [address, length] = ipaddr.parseCIDR(text)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && length >= 96)
    return blockOf(address.toIPv4Address(), length - 96)
  return blockOf(address, length)
}

function blockOf(address: ipaddr.IPv4 | ipaddr.IPv6, length: number): Block {
  const groups = groupsOf(address)
  const mask = groups.map((_, index) => 0xffff & ~(0xffff >> Math.min(Math.max(length - 16 * index, 0), 16)))
  return { bits: groups.map((group, index) => group & (mask[index] ?? 0)), mask }
}

function inBlock(address: Address, { bits, mask }: Block): boolean {
  if (address.length !== bits.length) return false
  for (let index = 0; index < bits.length; index++)
    if (((address[index] ?? 0) & (mask[index] ?? 0)) !== bits[index]) return false
  return true
}
