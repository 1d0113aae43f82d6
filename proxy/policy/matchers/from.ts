// Owns the condition `from`: the client's address in a range.
import ipaddr from 'ipaddr.js'
import { actionTypes } from '../actions.ts'
import type { Address } from '../facts.ts'
import type { Matcher } from '../matcher.ts'
import { quoteAll } from './patterns.ts'

type Block = readonly [Address, number]

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
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  }
  const [address, bits] = ipaddr.parseCIDR(text)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() && bits >= 96)
    return [address.toIPv4Address(), bits - 96]
  return [address, bits]
}

function inBlock(address: Address, [base, bits]: Block): boolean {
  if (address instanceof ipaddr.IPv4 && base instanceof ipaddr.IPv4) return address.match(base, bits)
  return address instanceof ipaddr.IPv6 && base instanceof ipaddr.IPv6 && address.match(base, bits)
}
