// Owns `gatewright audit prove`: a proof that one record is in the log, for somebody who has only the public key.
import { Command } from 'commander'
import { proveRecord, type RecordProof } from '../audit/prove.ts'
import { checkFolder, orFail } from './audit-folder.ts'
import { outputOption, printJson, type OutputFormat } from './output.ts'

export function proveCommand(): Command {
  return new Command('prove')
    .description('a proof that one record is in the log, as C2SP tlog-proof; with -o json the record itself, too')
    .argument('<dir>', 'the audit folder; with several logs and an index, the folder of one')
    .argument('<record>', 'an index (i), or a request id: then its last record')
    .addOption(outputOption())
    .action(async (dir: string, record: string, { output }: { output: OutputFormat }) => {
      checkFolder(dir)
      const proof = await orFail(() => proveRecord(dir, /^[0-9]{1,15}$/.test(record) ? Number(record) : record))
      if (output === 'text') process.stdout.write(tlogProof(proof))
      else printJson({ ...proof, hashes: proof.hashes.map((hash) => hash.toString('base64')) })
    })
}

function tlogProof({ index, hashes, checkpoint }: RecordProof): string {
  const lines = ['c2sp.org/tlog-proof@v1', `index ${index}`, ...hashes.map((hash) => hash.toString('base64'))]
  return `${lines.join('\n')}\n\n${checkpoint}`
}
