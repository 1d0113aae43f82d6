import t from 'tap'
import { selfTimes, type CpuProfile } from '../../../bench/profile.ts'

const profile: CpuProfile = {
  startTime: 1_000,
  nodes: ['(idle)', 'warm', 'hot'].map((functionName, id) => ({
    id,
    callFrame: { functionName, url: '', lineNumber: 0 },
  })),
  // At 1010 warm, 1020 hot, 1050 idle, 1060 hot, 1061 warm.
  samples: [1, 2, 0, 2, 1],
  timeDeltas: [10, 10, 30, 10, 1],
}

t.test('a sample counts until the next one, within the window, unless it is idle', async (t) => {
  const times = selfTimes(
    profile,
    { fromUs: 1_015, toUs: 1_060, requests: 1 },
    ({ callFrame }) => callFrame.functionName,
  )
  t.same([...times], [['hot', 31]])
})
