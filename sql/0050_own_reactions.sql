-- The reactions that were sent through the gateway, found by the message that they are about.
create index if not exists messages_reactions on messages (session_id, (params ->> 'message_id'))
  where operation = 'reactToMessage';
