import t from 'tap'
import { closest, didYouMean } from '../../../proxy/config/suggest.ts'

const words = ['effect', 'actions', 'models', 'listen', 'id', 'principals', 'upstream']

t.test('the nearest word', async (t) => {
  t.equal(closest('efect', words), 'effect')
  t.equal(closest('effetc', words), 'effect', 'two letters swapped are one slip')
  t.equal(closest('Listen', words), 'listen')
  t.equal(closest('principles', words), 'principals')
  t.equal(closest('di', words), 'id')
})

t.test('nothing near, nothing said', async (t) => {
  for (const word of ['http2', 'xyz', '', 'q'.repeat(1000)]) t.equal(closest(word, words), undefined, word.slice(0, 10))
  t.same(didYouMean('http2', words), {})
  t.same(didYouMean('model', words), { hint: 'did you mean "models"?' })
})
