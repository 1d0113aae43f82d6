import t from 'tap'
import { didYouMean, nearest } from '../../../proxy/lib/nearest.ts'

const words = ['effect', 'actions', 'models', 'listen', 'id', 'principals', 'upstream']

t.test('the nearest word', async (t) => {
  t.equal(nearest('efect', words), 'effect')
  t.equal(nearest('effetc', words), 'effect', 'two letters swapped are one slip')
  t.equal(nearest('Listen', words), 'listen')
  t.equal(nearest('principles', words), 'principals')
  t.equal(nearest('di', words), 'id')
})

t.test('nothing near, nothing said', async (t) => {
  for (const word of ['http2', 'xyz', '', 'q'.repeat(1000)]) t.equal(nearest(word, words), undefined, word.slice(0, 10))
  t.same(didYouMean('http2', words), {})
  t.same(didYouMean('model', words), { hint: 'did you mean "models"?' })
})
