// Owns the declaration of what becomes of each text in Gemini's format, field by field as the SDK's types have them
// (@google/genai 3). Each field stands in snake case, too.
import { fieldsAt, joinFields, type Fields, type OperationCoverage } from './posture.ts'

const part: Fields = {
  enforced: [
    'text',
    'functionCall(args={}).name',
    'functionCall(name=look).args.*',
    'functionCall(name=look).args.@',
    'functionResponse(response={}).name',
    'functionResponse(name=look).response.*',
    'functionResponse(name=look,response={}).parts[].inlineData(mimeType=image/png).data',
    'inlineData(mimeType=image/png).data',
    'inlineData(mimeType=image/png,data=aGk=).displayName',
    'fileData(mimeType=image/png).fileUri',
    'fileData(mimeType=image/png,fileUri=gs).displayName',
    'executableCode(language=PYTHON).code',
    'codeExecutionResult(outcome=OUTCOME_OK).output',
    'toolCall(toolType=GOOGLE_SEARCH_WEB).args.*',
    'toolResponse(toolType=GOOGLE_SEARCH_WEB).response.*',
    'audioTranscription.text',
    'thoughtSignature',
    'partMetadata.*',
  ],
  opaque: {
    'inlineData(mimeType=image/png).data': 'image',
    'inlineData(mimeType=audio/wav).data': 'audio',
    'inlineData(mimeType=video/mp4).data': 'video',
    'inlineData(mimeType=application/pdf).data': 'file',
    'functionResponse(name=look,response={}).parts[].inlineData(mimeType=image/png).data': 'image',
    'fileData(mimeType=image/png).fileUri': 'file',
    thoughtSignature: 'encrypted',
  },
}

const generate = joinFields(fieldsAt('contents[role=user].parts[].', part), {
  enforced: [
    'contents[role=model].parts[].text',
    'contents[].parts[thought=true].text',
    'systemInstruction.parts[].text',
    'system_instruction.parts[].text',
    'tools[].functionDeclarations[].name',
    'tools[].functionDeclarations[name=look].description',
    'tools[].functionDeclarations[name=look].parameters.description',
    'tools[].functionDeclarations[name=look].parameters.properties.*.description',
    'tools[].functionDeclarations[name=look].parameters.properties.@',
    'tools[].functionDeclarations[name=look].parametersJsonSchema.description',
    'tools[].functionDeclarations[name=look].response.description',
    'tools[].retrieval.vertexAiSearch.datastore',
    'tools[].googleSearch.excludeDomains[]',
    'tools[].mcpServers[].name',
    'toolConfig.functionCallingConfig.allowedFunctionNames[]',
    'toolConfig.retrievalConfig.languageCode',
    'generationConfig.stopSequences[]',
    'generationConfig.responseSchema.description',
    'generationConfig.responseJsonSchema.description',
    'generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName',
    'safetySettings[].category',
    'labels.*',
    'labels.@',
    'cachedContent',
  ],
  opaque: { cachedContent: 'cached-content' },
})

const grounding: Fields = {
  enforced: [
    'webSearchQueries[]',
    'imageSearchQueries[]',
    'retrievalQueries[]',
    'searchEntryPoint.renderedContent',
    'searchEntryPoint.sdkBlob',
    'groundingChunks[].web.title',
    'groundingChunks[].web.uri',
    'groundingChunks[].web.domain',
    'groundingChunks[].retrievedContext.text',
    'groundingChunks[].retrievedContext.title',
    'groundingChunks[].retrievedContext.ragChunk.text',
    'groundingChunks[].maps.text',
    'groundingChunks[].maps.title',
    'groundingChunks[].maps.placeAnswerSources.reviewSnippets[].title',
    'groundingChunks[].image.title',
    'groundingSupports[].segment.text',
    'googleMapsWidgetContextToken',
  ],
  opaque: { 'searchEntryPoint.sdkBlob': 'grounding' },
}

const answer = joinFields(
  fieldsAt('candidates[].content(role=model).parts[].', part),
  fieldsAt('candidates[].groundingMetadata.', grounding),
  {
    enforced: [
      'candidates[index=1].content(role=model).parts[].text',
      'candidates[].content(role=model).parts[thought=true].text',
      'candidates[].finishMessage',
      'candidates[].citationMetadata.citations[].title',
      'candidates[].citationMetadata.citations[].uri',
      'candidates[].citationMetadata.citations[].license',
      'candidates[].urlContextMetadata.urlMetadata[].retrievedUrl',
      'candidates[].continuationToken',
      'promptFeedback(blockReason=OTHER).blockReasonMessage',
      'modelVersion',
      'responseId',
    ],
    opaque: {
      'candidates[].continuationToken': 'encrypted',
      'candidates[].logprobsResult.chosenCandidates[].token': 'logprobs',
      'candidates[].logprobsResult.topCandidates[].candidates[].token': 'logprobs',
    },
  },
)

const grows = 'candidates[].content(role=model).parts[].text'

const stream = joinFields(answer, {
  enforced: [`${grows} +`, 'candidates[].content(role=model).parts[thought=true].text +', 'error.message'],
})

const embed: Fields = { enforced: ['content.parts[].text', 'title'] }
const other: Fields = { enforced: ['note'] }
const model: Fields = { enforced: ['name', 'displayName', 'description', 'version'] }

export const geminiCoverage: readonly OperationCoverage[] = [
  { call: 'POST /v1beta/models/gemini-2.5-flash:generateContent', request: generate, answer, stream },
  { call: 'POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', request: generate, answer, stream },
  {
    call: 'POST /v1beta/models/gemini-2.5-flash:countTokens',
    request: joinFields(generate, fieldsAt('generateContentRequest.', generate)),
    answer: other,
  },
  { call: 'POST /v1beta/models/gemini-embedding-001:embedContent', request: embed, answer: other },
  {
    call: 'POST /v1beta/models/gemini-embedding-001:batchEmbedContents',
    request: fieldsAt('requests[].', embed),
    answer: other,
  },
  { call: 'GET /v1beta/models', answer: fieldsAt('models[].', model) },
  { call: 'GET /v1beta/models/gemini-2.5-flash', answer: model },
  { call: 'GET /v1beta/tunedModels', answer: fieldsAt('tunedModels[].', model) },
  { call: 'GET /v1beta/tunedModels/mine', answer: model },
]
